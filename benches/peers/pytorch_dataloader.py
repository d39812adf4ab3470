"""The experiment in PyTorch as most people write it: DataLoader, Adam, StepLR, loss.item()."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import mnist
from pytorch_mnist import mlp, tensors



def main():
    parser = mnist.option_parser(__doc__)
    parser.add_argument("--workers", type=mnist.number(0), default=0, metavar="N",
                        help="processes that make batches (default: %(default)s, the program itself)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(mnist.SEED)

    train_set = TensorDataset(*tensors("train", options.train_samples))
    valid_set = TensorDataset(*tensors("t10k"))
    loading = {"num_workers": options.workers}
    train_loader = DataLoader(train_set, batch_size=options.batch, shuffle=True, **loading)
    valid_loader = DataLoader(valid_set, batch_size=mnist.VALID_BATCH, **loading)

    model = mlp(options.hidden)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=mnist.LR)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, mnist.STEP_SIZE, gamma=mnist.GAMMA)

    def train():
        model.train()
        loss_sum, correct = 0.0, 0
        for images, labels in train_loader:
            optimizer.zero_grad()
            logits = model(images)
            loss = criterion(logits, labels)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(labels)
            correct += (logits.argmax(1) == labels).sum().item()
        lr = scheduler.get_last_lr()[0]
        scheduler.step()
        return loss_sum / len(train_set), correct / len(train_set), lr

    def validate():
        model.eval()
        loss_sum, correct = 0.0, 0
        with torch.no_grad():
            for images, labels in valid_loader:
                logits = model(images)
                loss_sum += criterion(logits, labels).item() * len(labels)
                correct += (logits.argmax(1) == labels).sum().item()
        return loss_sum / len(valid_set), correct / len(valid_set)

    mnist.run("pytorch_dataloader", options.epochs, train, validate)


# Worker processes import this file.
if __name__ == "__main__":
    main()
