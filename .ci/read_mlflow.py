"""Compares what MLflow reads with a run's history: read_mlflow.py STORE HISTORY."""

import json
import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow

store, history = sys.argv[1:]
with open(history) as file:
    epochs = json.load(file)["epochs"]
client = mlflow.MlflowClient("file:" + os.path.abspath(store))
[run] = client.search_runs(["0"])
assert run.info.status == "FINISHED", run.info
values = 0
for split in ["train", "valid"]:
    for name in epochs[0][split]:
        found = [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, f"{split}/{name}")]
        assert found == [(epoch["updates"], epoch[split][name]) for epoch in epochs], (split, name, found)
        values += len(found)
updates = [m.step for m in client.get_metric_history(run.info.run_id, "update/loss")]
assert updates == list(range(50, epochs[-1]["updates"] + 1, 50)), updates
assert run.data.params["train.batch_size"] == "64", run.data.params
print(f"MLflow reads {values} values of {len(epochs)} epochs of {run.info.run_name}, "
      f"{len(updates)} updates and {len(run.data.params)} parameters")
