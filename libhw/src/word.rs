//! Words of the kernel's as types, which keep a word that they do not know.

/// Makes an enum of words; one that is none of them is kept as it is.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident $word:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$about])* $variant,)*
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// The word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    )* };
}
pub(crate) use words;

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
        /// A lamp.
        Lamp {
            /// It shines.
            On "on",
        }
    }

    #[test]
    fn a_word_that_is_not_known_is_kept() {
        let words: Vec<Lamp> = serde_json::from_str(r#"["on","dim"]"#).unwrap();
        assert_eq!(words, [Lamp::On, Lamp::Other("dim".into())]);
        assert_eq!(serde_json::to_string(&words).unwrap(), r#"["on","dim"]"#);
        assert_eq!(format!("{:>4}", Lamp::On), "  on");
    }

    #[test]
    fn a_number_without_a_word_stays_a_number() {
        let words = ["one", "two"];
        assert_eq!(numbered(&words, 1, 2), "two");
        assert_eq!(numbered(&words, 1, 0), "0");
        assert_eq!(numbered(&words, 1, 3), "3");
    }
}
