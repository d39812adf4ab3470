//! The events that TensorBoard reads.

use super::message::Message;

/// What is first in every file.
pub(super) fn version() -> Message {
    Message::new().bytes(3, "brain.Event:2")
}

/// The run goes on: whatever earlier files have of steps from this one's on is void.
pub(super) fn restart() -> Message {
    const START: u64 = 1;
    Message::new().message(7, &Message::new().integer(1, START))
}

/// The value of a curve.
pub(super) fn scalar(tag: &str, value: f64) -> Message {
    value_of(&Message::new().bytes(1, tag).float(2, value as f32))
}

/// What a plugin is told.
pub(super) fn plugin_data(tag: &str, plugin: &str, content: &Message) -> Message {
    let data = Message::new().bytes(1, plugin).bytes(2, content.encoded());
    let metadata = Message::new().message(1, &data);
    value_of(&Message::new().bytes(1, tag).message(9, &metadata))
}

fn value_of(value: &Message) -> Message {
    Message::new().message(5, &Message::new().message(1, value))
}

/// `event` at that step and time, the latter in seconds since 1970.
pub(super) fn at(event: Message, step: u64, seconds: f64) -> Message {
    event.double(1, seconds).integer(2, step)
}
