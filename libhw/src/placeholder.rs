//! What vendors leave in a label's field that they did not fill in: no name of anything, and no identity.

/// By their letters and digits, in lower case and in order. Seen on boards of several vendors, and in hypervisors' tables.
const PLACEHOLDERS: &[&str] = &[
    "0123456789",
    "03000200040005000006000700080009",
    "123456789",
    "1234567890",
    "asset1234567890",
    "assettag",
    "assettagnotset",
    "baseboard",
    "baseboardassettag",
    "baseboardserialnumber",
    "boardassettag",
    "boardserialnumber",
    "chassisassettag",
    "chassismanufacture",
    "chassismanufacturer",
    "chassisserialnumber",
    "chassisversion",
    "default",
    "defaultstring",
    "empty",
    "family",
    "fillbyoem",
    "filledbyoem",
    "invalid",
    "localdomain",
    "localhost",
    "localhostlocaldomain",
    "na",
    "noassetinformation",
    "noassettag",
    "none",
    "notapplicable",
    "notavailable",
    "notdefined",
    "notpresent",
    "notprovided",
    "notset",
    "notsettable",
    "notspecified",
    "null",
    "oem",
    "oemdefine",
    "serialnumber",
    "sku",
    "skunumber",
    "systemassettag",
    "systemmanufacturer",
    "systemname",
    "systemproductname",
    "systemserialnumber",
    "systemsku",
    "systemversion",
    "tbd",
    "tobefilledbyoem",
    "type1family",
    "type1productconfigid",
    "type2boardassettag",
    "type2boardmanufacturer",
    "type2boardproductname",
    "type2boardserialnumber",
    "type2boardversion",
    "undefined",
    "uninitialized",
    "unknown",
    "unspecified",
];

/// Whether a text is one of them; case, spaces and punctuation do not matter.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let signs = text.chars().filter(char::is_ascii_alphanumeric);
    let signs: String = signs.map(|sign| sign.to_ascii_lowercase()).collect();
    PLACEHOLDERS.binary_search(&signs.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vendors_leave_is_known_however_it_is_written() {
        for text in [
            "To Be Filled By O.E.M.",
            "default_string",
            "N/A",
            "03000200-0400-0500-0006-000700080009",
        ] {
            assert!(is_placeholder(text), "{text:?}");
        }
        for text in ["", "PowerEdge R750", "CN7475148O0123"] {
            assert!(!is_placeholder(text), "{text:?}");
        }
        assert!(PLACEHOLDERS.is_sorted());
    }
}
