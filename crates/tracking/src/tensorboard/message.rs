//! Messages of Protocol Buffers, as far as TensorBoard's files need them.
//!
//! They are five small messages that have not changed in years: not worth a compiler for their definitions, nor
//! a crate that brings all of TensorFlow's.

/// A message while it is written, field by field.
#[derive(Debug, Clone, Default)]
pub(super) struct Message(Vec<u8>);

/// How a value is written on the wire.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// An integer or the number of an enumeration's value; the format has those below 0 as what they are
    /// modulo 2^64.
    pub(super) fn integer(mut self, field: u32, value: u64) -> Self {
        self.key(field, Wire::Varint);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, field: u32, value: f64) -> Self {
        self.key(field, Wire::Fixed64);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn float(mut self, field: u32, value: f32) -> Self {
        self.key(field, Wire::Fixed32);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// A text or bytes.
    pub(super) fn bytes(mut self, field: u32, value: impl AsRef<[u8]>) -> Self {
        self.key(field, Wire::Bytes);
        self.varint(value.as_ref().len() as u64);
        self.0.extend(value.as_ref());
        self
    }

    /// Another message.
    pub(super) fn message(self, field: u32, value: &Message) -> Self {
        self.bytes(field, &value.0)
    }

    pub(super) fn encoded(&self) -> &[u8] {
        &self.0
    }

    fn key(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field) << 3 | wire as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the format's documentation.
    #[test]
    fn fields_are_written_as_documented() {
        assert_eq!(Message::new().integer(1, 150).encoded(), [0x08, 0x96, 0x01]);
        let text = Message::new().bytes(2, "testing");
        assert_eq!(text.encoded(), b"\x12\x07testing");
        let inner = Message::new().integer(1, 150);
        let outer = Message::new().message(3, &inner);
        assert_eq!(outer.encoded(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        let numbers = Message::new().double(1, 1.0).float(2, -2.0);
        assert_eq!(
            numbers.encoded(),
            [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x15, 0, 0, 0, 0xc0]
        );
        let largest = Message::new().integer(16, u64::MAX);
        assert_eq!(largest.encoded()[..2], [0x80, 0x01]);
        assert_eq!(largest.encoded().len(), 12);
    }
}
