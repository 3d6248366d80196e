//! Netlink attributes: length, type, value (`struct nlattr`), nested as often as one likes.

/// Length and type.
const HEADER: usize = 4;

/// `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER` are no part of the type.
const TYPE_MASK: u16 = 0x3fff;

/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;

/// The attributes in a payload; what is cut short ends them.
#[derive(Clone, Debug)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Those in `bytes`.
    #[must_use]
    pub const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let bytes = self.0;
        let short = |at: usize| Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let length = usize::from(short(0)?);
        let attribute = Attribute {
            kind: short(2)? & TYPE_MASK,
            value: bytes.get(HEADER..length)?,
        };
        self.0 = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(attribute)
    }
}

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its type.
    pub kind: u16,
    /// Its value.
    pub value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The attributes in it.
    #[must_use]
    pub const fn nested(&self) -> Attributes<'a> {
        Attributes::of(self.value)
    }

    /// An unsigned number of 1, 2, 4 or 8 bytes: the kernel's `uint` has the width that it needs.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        Some(match self.value {
            [byte] => u64::from(*byte),
            [a, b] => u64::from(u16::from_ne_bytes([*a, *b])),
            [a, b, c, d] => u64::from(u32::from_ne_bytes([*a, *b, *c, *d])),
            bytes => u64::from_ne_bytes(bytes.try_into().ok()?),
        })
    }

    /// As [`Attribute::number`], of at most 32 bits.
    #[must_use]
    pub fn small(&self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// A signed number of 4 or 8 bytes.
    #[must_use]
    pub fn signed(&self) -> Option<i64> {
        Some(match self.value {
            [a, b, c, d] => i64::from(i32::from_ne_bytes([*a, *b, *c, *d])),
            bytes => i64::from_ne_bytes(bytes.try_into().ok()?),
        })
    }

    /// A number that is 0 or not.
    #[must_use]
    pub fn switch(&self) -> Option<bool> {
        Some(self.number()? != 0)
    }

    /// A text without its NUL and what follows it; empty is absent.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let text = self.value.split(|byte| *byte == 0).next()?;
        let text = String::from_utf8_lossy(text).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// Attributes of ours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// One more attribute.
    pub(crate) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// One more, which holds others.
    pub(crate) fn with_nested(self, kind: u16, nested: &Self) -> Self {
        self.with(kind | NESTED, &nested.0)
    }

    /// One more, a text with its NUL.
    pub(crate) fn with_text(self, kind: u16, text: &str) -> Self {
        self.with(kind, &[text.as_bytes(), &[0]].concat())
    }

    /// One more, a number of 32 bits.
    pub(crate) fn with_u32(self, kind: u16, number: u32) -> Self {
        self.with(kind, &number.to_ne_bytes())
    }

    /// All of them as bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
