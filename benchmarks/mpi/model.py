"""A model of the time of a training step on several processes: a process computes its shards one after
the other, the gradient of a layer travels as soon as the last own shard has it, and every process then
updates all weights. Messages are those of LogGP (Alexandrov et al. 1995): a latency, a time of the
processor for each message, and a bandwidth for each direction of a process.
"""

import dataclasses
import heapq
import math

SHARD = 32
# Small layers travel together.
LEAST_BYTES = 65536


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    latency: float  # seconds
    overhead: float  # seconds of the processor for each message
    bandwidth: float  # bytes per second


@dataclasses.dataclass(frozen=True)
class Computing:
    """What one process measures."""

    shard: float  # seconds for one shard of 32 sequences, forward and backward
    undivided: float  # seconds of a step that every process spends: the update of the weights
    layers: tuple  # of the layers with weights: (features, units), a Dense layer last


def two_layers(units, features=32):
    return ((features, units), (units, units), (units, 1))


def work_of(layers):
    """Multiply-adds of a sequence's step forward, and backward of each layer, and weights in bytes.

    A Dense layer at the end sees one step of many, so that its work is not counted."""
    forward, backward, weights = 0, [], []
    for i, (features, units) in enumerate(layers):
        if i + 1 == len(layers):
            backward.append(0)
            weights.append(4 * (features + 1) * units)
            continue
        forward += 4 * units * (features + units)
        # The first layer has no derivative by its input.
        backward.append(4 * units * (2 * units + (features if i == 0 else 2 * features)))
        weights.append(4 * 4 * units * (features + units + 1))
    return forward, backward, weights


def step_time(computing, network, shards, processes):
    """Seconds of a step of `shards` shards."""
    own = math.ceil(shards / processes)
    if processes == 1:
        return own * computing.shard + computing.undivided
    forward, backward, weights = work_of(computing.layers)
    second = computing.shard / (forward + sum(backward))
    others = processes - 1
    # Losses and masks are gathered in the middle, and what callbacks decide is handed out after
    # the step: in the steps of a tree.
    levels = math.ceil(math.log2(processes))
    losses = 8 * SHARD * shards
    gather = 3 * levels * (network.latency + 2 * network.overhead) + losses / network.bandwidth
    now = own * second * forward + gather + (own - 1) * second * sum(backward)
    # The exchange has two phases for each layer; a phase waits for the link and, in the processor,
    # for the calls that send and receive its messages.
    events = []
    size = 0
    for order, layer in enumerate(reversed(range(len(weights)))):
        now += second * backward[layer]
        size += weights[layer]
        if layer > 0 and size < LEAST_BYTES:
            continue
        heapq.heappush(events, (now, order, 0, size))
        now += 4 * others * network.overhead
        size = 0
    link = 0.0
    end = now
    while events:
        ready, order, phase, size = heapq.heappop(events)
        link = max(link, ready) + size * others / processes / network.bandwidth
        arrived = link + network.latency
        if phase == 0:
            heapq.heappush(events, (arrived, order, 1, size))
        end = max(end, arrived)
    return end + computing.undivided
