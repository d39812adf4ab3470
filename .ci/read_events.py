"""Compares what TensorBoard reads with the run's history: read_events.py BOARD HISTORY."""

import json
import struct
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import metadata as hparams


def single(value):
    """The nearest 32-bit number, which is what TensorBoard keeps."""
    return struct.unpack("f", struct.pack("f", value))[0]


def read(directory):
    everything = {event_accumulator.SCALARS: 0}
    accumulator = event_accumulator.EventAccumulator(directory, everything)
    accumulator.Reload()
    return accumulator


board, history = sys.argv[1:]
with open(history) as file:
    epochs = json.load(file)["epochs"]
values = 0
for split in ["train", "valid"]:
    accumulator = read(f"{board}/{split}")
    for name in epochs[0][split]:
        found = [(event.step, event.value) for event in accumulator.Scalars(name)]
        expected = [(epoch["updates"], single(epoch[split][name])) for epoch in epochs]
        assert found == expected, (split, name, found, expected)
        values += len(found)
train = read(f"{board}/train")
rates = [(event.step, event.value) for event in train.Scalars("lr")]
assert rates == [(epoch["updates"], single(epoch["lr"])) for epoch in epochs], rates
for tag in train.Tags()["scalars"]:
    steps = [event.step for event in train.Scalars(tag)]
    assert steps == sorted(set(steps)), (tag, steps)
    values += len(steps)
updates = [event.step for event in train.Scalars("update/loss")]
assert updates == list(range(50, epochs[-1]["updates"] + 1, 50)), updates

metadata = read(board).summary_metadata
start = hparams.parse_session_start_info_plugin_data(
    metadata[hparams.SESSION_START_INFO_TAG].plugin_data.content
)
parameters = dict(start.hparams)
assert parameters["batch_size"].number_value == 64, parameters
assert parameters["schedule.schedule.StepLr.step_size"].number_value == 3, parameters
print(f"TensorBoard reads {values} values of {len(epochs)} epochs, and {len(parameters)} hyperparameters")
