//! Texts as XML has them.

/// The text without control characters, which XML has no way to write.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The text as the content of an element or of an attribute.
pub(super) fn escaped(text: &str) -> String {
    plain(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
