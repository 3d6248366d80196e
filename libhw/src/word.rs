//! Words of the kernel's as types: the known ones by name, any other kept as it stands.

/// Makes an enum of words. In JSON a known word is in lower case with `_` for what is no letter or digit
/// (`power off` is `power_off`); an unknown one stands as the kernel wrote it.
macro_rules! words {
    ($($(#[doc = $doc:literal])* pub enum $name:ident {
        $($(#[doc = $of:literal])* $variant:ident = $word:literal,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $of])* $variant,)*
            /// A word that is not known here, as it stands.
            Other(String),
        }

        impl $name {
            /// The words that are known, as JSON has them.
            pub const KNOWN: &[&str] = &[$($word),*];

            /// The word, as JSON has it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                for word in [text, $crate::word::plain(text).as_str()] {
                    match word {
                        $($word => return Self::$variant,)*
                        _ => {}
                    }
                }
                Self::Other(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.as_str().replace('_', " "))
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": concat!($($doc, " "),*).trim(),
                    "anyOf": [
                        $({"const": $word, "description": concat!($($of, " "),*).trim()},)*
                        {"type": "string", "description": "Another word, as it stands."}
                    ]
                })
            }
        }
    )*};
}
pub(crate) use words;

/// Lower case, each run of other signs than letters and digits as one `_`, none at the ends.
pub(crate) fn plain(text: &str) -> String {
    let parts = text.split(|sign: char| !sign.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("_").to_ascii_lowercase()
}

/// The word that stands for a number of the kernel's; the number itself where there is none. A header file's
/// first constant may be 1.
pub(crate) fn numbered(words: &[&str], first: u32, number: u32) -> String {
    let place = number
        .checked_sub(first)
        .and_then(|place| usize::try_from(place).ok());
    place
        .and_then(|place| words.get(place))
        .map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    words! {
        /// A test's.
        pub enum Power {
            /// On.
            On = "on",
            /// Off.
            SwitchedOff = "switched_off",
        }
    }

    #[test]
    fn known_words_are_told_however_they_are_spaced_and_others_are_kept() {
        assert_eq!(Power::from("Switched Off"), Power::SwitchedOff);
        assert_eq!(Power::from("switched_off"), Power::SwitchedOff);
        assert_eq!(
            Power::from("in-between"),
            Power::Other("in-between".to_owned())
        );
        for word in [
            Power::On,
            Power::SwitchedOff,
            Power::Other("Half on".to_owned()),
        ] {
            let json = serde_json::to_string(&word).unwrap();
            assert_eq!(serde_json::from_str::<Power>(&json).unwrap(), word);
        }
        assert_eq!(
            serde_json::to_string(&Power::SwitchedOff).unwrap(),
            "\"switched_off\""
        );
        assert_eq!(Power::SwitchedOff.to_string(), "switched off");
    }

    #[test]
    fn a_number_without_a_word_stays_a_number() {
        let words = ["one", "two"];
        assert_eq!(numbered(&words, 1, 2), "two");
        assert_eq!(numbered(&words, 1, 0), "0");
        assert_eq!(numbered(&words, 1, 3), "3");
    }
}
