"""The experiment in JAX: an epoch is one compiled call that scans over the batches, with optax's Adam."""

import math
import os

import mnist

options = mnist.option_parser(__doc__).parse_args()
# Read when XLA is loaded: the size of its thread pools, and where it computes.
os.environ["NPROC"] = str(options.threads)
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402


def arrays(split, samples=None):
    """Images `[samples, 784]` from 0 to 1 and labels `[samples]`."""
    images, labels = (jnp.frombuffer(data, jnp.uint8) for data in mnist.load(split, samples))
    return images.reshape(-1, mnist.PIXELS) / 255.0, labels.astype(jnp.int32)


def linear(key, inputs, outputs):
    """Initialised as PyTorch and Burn do: uniform within 1/sqrt(inputs)."""
    bound = 1 / math.sqrt(inputs)
    keys = jax.random.split(key)
    shapes = (inputs, outputs), (outputs,)
    return [
        jax.random.uniform(key, shape, minval=-bound, maxval=bound)
        for key, shape in zip(keys, shapes)
    ]


def mlp(params, images):
    (weight1, bias1), (weight2, bias2) = params
    return jax.nn.relu(images @ weight1 + bias1) @ weight2 + bias2


def loss(params, images, labels):
    """The mean loss, and with it the sums that an epoch adds up: loss and correct predictions."""
    logits = mlp(params, images)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    correct = (logits.argmax(1) == labels).sum()
    return losses.mean(), jnp.stack([losses.sum(), correct])


@jax.jit
def train_epoch(state, key, images, labels):
    def step(state, batch):
        params, moments = state
        gradients, sums = jax.grad(loss, has_aux=True)(params, images[batch], labels[batch])
        updates, moments = optimizer.update(gradients, moments)
        return (optax.apply_updates(params, updates), moments), sums

    # A scan takes batches of one size only; what is left over is a step of its own.
    order = jax.random.permutation(key, samples)
    full = samples - samples % options.batch
    state, sums = jax.lax.scan(step, state, order[:full].reshape(-1, options.batch))
    sums = sums.sum(0)
    if full < samples:
        state, rest = step(state, order[full:])
        sums += rest
    return state, sums


@jax.jit
def validation_sums(params, images, labels):
    batches = images.reshape(-1, mnist.VALID_BATCH, mnist.PIXELS), labels.reshape(-1, mnist.VALID_BATCH)
    return jax.lax.map(lambda batch: loss(params, *batch)[1], batches).sum(0)


train_set = arrays("train", options.train_samples)
valid_set = arrays("t10k")
samples = len(train_set[1])

steps_per_epoch = math.ceil(samples / options.batch)
schedule = optax.exponential_decay(
    mnist.LR, mnist.STEP_SIZE * steps_per_epoch, mnist.GAMMA, staircase=True
)
optimizer = optax.adam(schedule)
key, key1, key2 = jax.random.split(jax.random.key(mnist.SEED), 3)
params = (linear(key1, mnist.PIXELS, options.hidden), linear(key2, options.hidden, mnist.CLASSES))
state = params, optimizer.init(params)
epochs = enumerate(jax.random.split(key, options.epochs))


def train():
    global state
    epoch, key = next(epochs)
    state, sums = train_epoch(state, key, *train_set)
    lr = schedule(epoch * steps_per_epoch).item()
    loss_sum, correct = sums.tolist()
    return loss_sum / samples, correct / samples, round(lr, 9)


def validate():
    loss_sum, correct = validation_sums(state[0], *valid_set).tolist()
    return loss_sum / len(valid_set[1]), correct / len(valid_set[1])


mnist.run("jax_scan", options.epochs, train, validate)
