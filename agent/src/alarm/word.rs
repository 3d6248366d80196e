//! A fixed list of words as a table: a row is a variant, its word in text and JSON, and its number in a standard.

use thiserror::Error;

/// No such word.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no {what} is called {found:?}: expected {}", expected.join(", "))]
pub(crate) struct Unknown {
    pub(crate) what: &'static str,
    pub(crate) found: String,
    pub(crate) expected: &'static [&'static str],
}

/// Makes an enum of rows `Variant "word" number;`, ordered as the rows are.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident $what:literal { $($(#[$row:meta])* $variant:ident $word:literal $number:literal;)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub(crate) enum $name {
            $($(#[$row])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),+];

            /// The words, in the same order.
            const WORDS: &[&str] = &[$($word),+];

            /// Its word, as in JSON.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Its number: see the type's source.
            pub(crate) const fn number(self) -> u16 {
                match self {
                    $(Self::$variant => $number,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::alarm::word::Unknown;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().find(|one| one.word() == text);
                found.copied().ok_or_else(|| $crate::alarm::word::Unknown {
                    what: $what,
                    found: text.chars().take(64).collect(),
                    expected: Self::WORDS,
                })
            }
        }
    };
}
pub(crate) use words;
