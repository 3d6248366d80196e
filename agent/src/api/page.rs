//! stub
pub(super) const CHANGES: usize = 20;
pub(super) const SECURITY_POLICY: &str = "default-src 'none'";
pub(super) fn render(_p: &super::Published, _h: &super::health::Health, _c: &[String]) -> String {
    String::new()
}
