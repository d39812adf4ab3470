"""Feeds PyTorch's ReduceLROnPlateau with the validation losses of a recorded run.

    pip install torch==2.15.0
    cargo run --release --example mnist_plateau -- --run-dir RUN
    python tests/integration/golden/plateau_run.py RUN/history.json > tests/integration/golden/plateau_run.json
"""

import json
import sys

import torch

history = json.load(open(sys.argv[1]))
optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.01)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
epochs = []
for epoch in history["epochs"]:
    plateau.step(epoch["valid"]["loss"])
    epochs.append(
        {
            "valid_loss": epoch["valid"]["loss"],
            "recorded_next_lr": epoch["next_lr"],
            "pytorch_next_lr": optimizer.param_groups[0]["lr"],
        }
    )
json.dump({"torch": torch.__version__, "epochs": epochs}, sys.stdout, indent=1)
print()
