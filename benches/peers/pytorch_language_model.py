"""The example language_model in PyTorch, tuned by hand for the CPU.

Queries, keys and values come of one product, AdamW is fused, denormal numbers count as zero, and
losses are computed from those of the batches once an epoch.
"""

import argparse
import gzip
import math

import torch
from torch import nn
from torch.nn import functional

import mnist
from pytorch_mnist import warmup_and_cosine

TEXT = mnist.DATA.parent / "shakespeare" / "plays.txt.gz"
BATCH, ACCUMULATION = 16, 2
CONTEXT, WIDTH, HEADS, BLOCKS, DROPOUT = 64, 64, 4, 2, 0.1
LR, BETAS, WEIGHT_DECAY, CLIP = 3e-3, (0.9, 0.99), 0.1, 1.0

parser = mnist.option_parser(__doc__, sizes=False)
parser.add_argument("--sdpa", action=argparse.BooleanOptionalAction, default=False,
                    help="scaled_dot_product_attention, in place of products and a softmax")
parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=False,
                    help="compile the network, which takes a C++ compiler")
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_flush_denormal(True)
torch.manual_seed(mnist.SEED)

text = gzip.decompress(TEXT.read_bytes()).decode()
alphabet = sorted(set(text))
text = torch.tensor([alphabet.index(character) for character in text])
end = len(text) // 10 * 9


def stretches(text):
    """Inputs and targets, each `[stretches, CONTEXT]`."""
    length = (len(text) - 1) // CONTEXT * CONTEXT
    return text[:length].view(-1, CONTEXT), text[1 : length + 1].view(-1, CONTEXT)


train_data, valid_data = stretches(text[:end]), stretches(text[end:])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.joined = nn.Linear(WIDTH, 3 * WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)
        self.register_buffer("future", torch.full((CONTEXT, CONTEXT), -torch.inf).triu(1))

    def forward(self, hidden):
        joined = self.joined(hidden).view(-1, CONTEXT, 3, HEADS, WIDTH // HEADS)
        query, key, value = joined.permute(2, 0, 3, 1, 4)
        if options.sdpa:
            dropout = DROPOUT if self.training else 0.0
            attended = functional.scaled_dot_product_attention(
                query, key, value, dropout_p=dropout, is_causal=True
            )
        else:
            scores = query @ key.transpose(-2, -1) * (WIDTH // HEADS) ** -0.5 + self.future
            attended = self.dropout(scores.softmax(-1)) @ value
        return self.output(attended.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(WIDTH), Attention()
        self.norm = nn.LayerNorm(WIDTH)
        self.thought = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, hidden):
        hidden = hidden + self.dropout(self.attention(self.attention_norm(hidden)))
        return hidden + self.dropout(self.thought(self.norm(hidden)))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.characters = nn.Embedding(len(alphabet), WIDTH)
        self.positions = nn.Parameter(torch.empty(CONTEXT, WIDTH))
        for weight in [self.characters.weight, self.positions]:
            nn.init.normal_(weight, std=0.02)
        self.dropout = nn.Dropout(DROPOUT)
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, len(alphabet))

    def forward(self, characters):
        hidden = self.dropout(self.characters(characters) + self.positions)
        return self.head(self.norm(self.blocks(hidden)))


model = Transformer()
forward = torch.compile(model) if options.compile else model
embeddings = {id(model.characters.weight), id(model.positions)}
decayed = [p for p in model.parameters() if p.ndim > 1 and id(p) not in embeddings]
others = [p for p in model.parameters() if p.ndim < 2 or id(p) in embeddings]
optimizer = torch.optim.AdamW(
    [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
    lr=LR,
    betas=BETAS,
    fused=True,
)
batches = math.ceil(len(train_data[0]) / BATCH)
updates = options.epochs * math.ceil(batches / ACCUMULATION)
scheduler = warmup_and_cosine(optimizer, updates, warmup=0.05, start_factor=1 / 3)


def loss_of(inputs, targets):
    return functional.cross_entropy(forward(inputs).flatten(0, 1), targets.flatten())


def train():
    model.train()
    inputs, targets = train_data
    split = torch.randperm(len(inputs)).split(BATCH)
    losses = []
    for number, batch in enumerate(split, 1):
        loss = loss_of(inputs[batch], targets[batch])
        loss.backward()
        losses.append(loss.detach())
        if number % ACCUMULATION == 0 or number == len(split):
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
    lr = scheduler.get_last_lr()[0]
    return *judge(losses, split), lr


@torch.inference_mode()
def validate():
    model.eval()
    inputs, targets = (data.split(BATCH) for data in valid_data)
    return judge([loss_of(*batch) for batch in zip(inputs, targets)], inputs)


def judge(losses, batches):
    """The mean loss of the stretches, and the perplexity."""
    sizes = torch.tensor([float(len(batch)) for batch in batches])
    loss = (torch.stack(losses) @ sizes / sizes.sum()).item()
    return loss, math.exp(loss)


mnist.run("pytorch_tuned", options.epochs, train, validate, measure="perplexity")
