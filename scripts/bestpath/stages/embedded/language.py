"""The embedded language: short stories about a number of things, told in English, with an integer answer.

A problem names a person and some things, tells one to eight changes of their number, and asks for the last
number. All numbers lie in [0, `World.largest`]. Every problem belongs to exactly one pool, decided by a hash of
its text, so that pretraining, training, development and test problems are disjoint by construction.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Pool = Literal["pretrain", "train", "test"]

# The share of all possible problems that each pool owns, in hundredths of the hash range.
_POOLS: dict[str, range] = {"pretrain": range(0, 60), "train": range(60, 80), "test": range(80, 100)}

GIRLS = tuple("Ada Anna Cora Dora Ella Emma Eva Fay Gina Ida Ines Iris Jana Kate Lea Lena Lily Mara Mia Mona".split())
BOYS = tuple("Adam Alan Ben Carl Dan Eli Finn Hugo Ian Jan Kai Leo Luis Max Nils Omar Otto Paul Sam Tom".split())
THINGS = tuple(
    """apples balls beads bells books boxes bricks bulbs buttons cakes candles cards caps coins cups dolls eggs
    figs flags forks hats jars keys kites lamps lemons maps marbles masks mugs nails nuts pans pears pens pins
    plates plums rings ropes seeds shells spoons stamps stars sticks stones tents tiles toys""".split()
)
GAINS = ("buys", "finds", "wins", "gets", "makes", "takes")
LOSSES = ("sells", "loses", "drops", "gives", "lends", "breaks")
OPENINGS = ("has", "owns", "keeps")
LINKS = ("", "", "Then ", "Next ", "Later ")
INVERSE = {"+": "-", "-": "+", "*": "/", "/": "*"}


@dataclass(frozen=True)
class World:
    """What can be said in the language, and how its solutions are written.

    `operations` is the range of the number of changes, `largest` the largest number, `largest_change` the largest
    number that is added or taken away at once, `scaling` the share of changes that double, triple or halve.
    `levels` gives every level of difficulty its number of changes instead; the first levels are common in pretraining
    and the last ones rare (`level_weights`), while problems for training and tests have all of them alike: so the hard
    ones are a tail. `rare` is how many of a level's changes are rare: products and quotients with one of `factors`,
    which have to be known, so that a few examples more do not teach them.
    A solution is written a step at a time (see `steps`), in a long, neutral or short style: `checks` is the share of
    steps with the inverse check, by style. A hasty step covers two additions or subtractions at once and names the
    result before it works it out, which is hard for a small model: `hasty` is its share where two subtractions follow
    each other, `hasty_else` elsewhere.

    The shares are chosen so that a preference can act: neutral solutions mix what long and short ones do, a
    short style drops checks and not skill, so that prompts change the length alone; and the careful way is within
    reach where the hasty one is the habit.
    """

    operations: tuple[int, int]
    largest: int
    largest_change: int = 30
    scaling: float = 0.15
    checks: tuple[float, float, float] = (0.97, 0.6, 0.03)
    hasty: float = 0.75
    hasty_else: float = 0.03
    levels: tuple[int, ...] = ()
    level_weights: tuple[float, ...] = ()
    rare: tuple[int, ...] = ()
    factors: tuple[int, int] = (4, 12)

    @classmethod
    def sized(
        cls,
        operations: Sequence[int],
        largest: int,
        levels: Sequence[int] = (),
        level_weights: Sequence[float] = (),
        rare: Sequence[int] = (),
    ) -> World:
        """The world with problems of so many changes, and with numbers up to `largest`."""
        few, many = operations
        return cls(
            operations=(few, many),
            largest=largest,
            largest_change=10 if rare else min(30, 3 * largest // 10),  # easy beside what is rare
            levels=tuple(levels),
            level_weights=tuple(level_weights),
            rare=tuple(rare),
        )


@dataclass(frozen=True)
class Operation:
    """One change: `before` `symbol` `operand` = `after`, and the sentence that tells it."""

    symbol: str
    before: int
    operand: int
    after: int
    sentence: str


@dataclass(frozen=True)
class Problem:
    """A question, the changes that lead to its answer, and the answer."""

    question: str
    operations: tuple[Operation, ...]

    @property
    def answer(self) -> int:
        return self.operations[-1].after

    @property
    def problem_id(self) -> str:
        """The first 16 hex digits of the SHA-1 of the question."""
        return hashlib.sha1(self.question.encode()).hexdigest()[:16]


def draw(world: World, rng: random.Random, pool: Pool, level: int | None = None) -> Problem:
    """One problem of a pool: of a level (from 1), of levels by weight, or uniformly over the number of changes."""
    if level is None and world.levels:
        [level] = rng.choices(range(1, len(world.levels) + 1), world.level_weights or None)
    n_operations = rng.randint(*world.operations) if level is None else world.levels[level - 1]
    n_rare = 0 if level is None or not world.rare else world.rare[level - 1]
    while True:
        problem = _tell(world, rng, n_operations, n_rare)
        if problem and int(problem.problem_id, 16) % 100 in _POOLS[pool]:
            return problem


def _tell(world: World, rng: random.Random, n_operations: int, n_rare: int = 0) -> Problem | None:
    """A story with so many changes; None if its numbers leave no room for the rare ones."""
    girl = rng.random() < 0.5
    name, pronoun = (rng.choice(GIRLS), "she") if girl else (rng.choice(BOYS), "he")
    things = rng.choice(THINGS)
    value = rng.randint(1, world.largest)
    sentences = [f"{name} {rng.choice(OPENINGS)} {value} {things}."]
    operations = []
    rare = set(rng.sample(range(n_operations), n_rare)) if n_rare else set()
    for index in range(n_operations):
        operation = (
            _rare_change(world, rng, value, pronoun, things) if index in rare else _change(world, rng, value, pronoun)
        )
        if operation is None:
            return None
        operations.append(operation)
        sentences.append(operation.sentence)
        value = operation.after
    question = rng.choice((f"How many {things} does {name} have now?", f"How many {things} are there in the end?"))
    return Problem(" ".join([*sentences, question]), tuple(operations))


def _rare_change(world: World, rng: random.Random, value: int, pronoun: str, things: str) -> Operation | None:
    """A product or quotient with one of the factors; None if the number allows none.

    It names the things: two sentences with few numbers would be the same in too many stories.
    """
    link = rng.choice(LINKS)
    subject = link + (pronoun if link else pronoun.capitalize())
    factors = range(world.factors[0], world.factors[1] + 1)
    products = [("*", k) for k in factors if 0 < value * k <= world.largest]
    quotients = [("/", k) for k in factors if value and value % k == 0]
    if not products and not quotients:
        return None
    symbol, k = rng.choice(rng.choice([options for options in (products, quotients) if options]))
    if symbol == "*":
        return Operation("*", value, k, value * k, f"{subject} has {k} times as many {things}.")
    return Operation("/", value, k, value // k, f"{subject} keeps one of every {k} {things}.")


def _change(world: World, rng: random.Random, value: int, pronoun: str) -> Operation:
    """A change that keeps the number within [0, largest]."""
    link = rng.choice(LINKS)
    subject = link + (pronoun if link else pronoun.capitalize())
    scalings = [
        ("*", 2, f"{subject} doubles them."),
        ("*", 3, f"{subject} triples them."),
        ("/", 2, f"{subject} keeps only half."),
    ]
    possible = [
        s
        for s in scalings
        if (s[0] == "*" and 0 < value * s[1] <= world.largest) or (s[0] == "/" and value and value % 2 == 0)
    ]
    if possible and rng.random() < world.scaling:
        symbol, operand, sentence = rng.choice(possible)
        return Operation(symbol, value, operand, value * operand if symbol == "*" else value // operand, sentence)
    room, stock = min(world.largest - value, world.largest_change), min(value, world.largest_change)
    if rng.random() * (room + stock) < room:
        operand = rng.randint(1, room)
        return Operation("+", value, operand, value + operand, f"{subject} {rng.choice(GAINS)} {operand} more.")
    operand = rng.randint(1, stock)
    return Operation("-", value, operand, value - operand, f"{subject} {rng.choice(LOSSES)} {operand} of them.")
