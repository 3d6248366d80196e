//! Stand-in for the picture.

/// The picture.
pub(crate) fn svg(_inventory: &libhw::inventory::Inventory) -> String {
    String::from("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 10 10\"></svg>")
}
