"""A learner's own version of an exercise: which variant, which names, which sizes, which order.

All of it is drawn from the learner's id, so the same learner always meets the same version, and
the next learner another one.
"""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from simulator.exercises.blocks import Say
from simulator.exercises.exercise import Exercise, Trial, Variant, words
from simulator.lab import ClientPolicy, Mail, MiddleboxPolicy, Scenario, ServerPolicy
from simulator.language import say

_HOUSES = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper",
    "kelp", "lagoon", "maple", "nectar", "opal", "pampas", "quartz", "reef", "sierra", "tulip",
)  # fmt: skip
_PEOPLE = ("ana", "bruno", "celia", "davi", "elisa", "felipe", "gilda", "hugo", "iara", "joel")
_THINGS = ("falcon", "guava", "hammock", "island", "jasmine", "kettle", "lemon", "mango", "nutmeg")
_MORE_KEYWORDS = ("DSN", "ENHANCEDSTATUSCODES", "CHUNKING", "ETRN", "EXPN")

PATIENCE = 2.0
"""Seconds that a client of an exercise waits for anything."""


class Puzzle:
    """One learner's version of an exercise, in the learner's language."""

    def __init__(
        self, exercise: Exercise, learner: str, language: str, draw: int = 0, variant: str = ""
    ) -> None:
        self.exercise = exercise
        self.language = language
        self._seed = f"{learner}/{exercise.name}/{draw}"
        # The same cards for every draw, dealt one by one: no situation comes twice in a row.
        cards = list(exercise.variant)
        Random(f"{learner}/{exercise.name}").shuffle(cards)  # noqa: S311
        chosen = cards[draw % len(cards)]
        if variant:
            [chosen] = [found for found in cards if found.name == variant]
        self.variant = chosen
        self.scenario = self.dressed(chosen)

    def random(self, what: str) -> Random:
        """A source of chance for one purpose, the same for this learner every time."""
        return Random(f"{self._seed}/{what}")  # noqa: S311 - it deals cards, it keeps no secret

    def say(self, text: str) -> str:
        """A text in the learner's language."""
        return say(text, self.language)

    def says(self, name: str) -> str:
        """What this exercise, or else every exercise, says under that name."""
        return self.say(self.exercise.says.get(name) or words()[name])

    def values(self, scenario: Scenario | None = None) -> dict[str, str]:
        """What the texts of an exercise may name: both hosts, both addresses, and so on."""
        found = scenario or self.scenario
        return {
            "client": found.client.name,
            "client_inside": found.client.name_inside or found.client.name,
            "server": found.server.name,
            "sender": found.mail.sender,
            "recipient": found.mail.recipients[0],
            "subject": found.mail.subject,
            "user": found.client.user,
            "verb": self.exercise.verb,
        }

    def told(self, name: str, /, **values: str | int) -> Say:
        """A paragraph: what this exercise, or every exercise, says under that name."""
        return Say(self.says(name), {**self.values(), **values})

    def paragraph(self, text: str, /, **values: str | int) -> Say:
        """A paragraph from a text in English."""
        return Say(self.say(text), {**self.values(), **values})

    def dressed(self, variant: Variant) -> Scenario:
        """The scenario of a variant, in this learner's names, sizes and keywords."""
        chance = self.random("dress")
        here, there = chance.sample(_HOUSES, 2)
        person, friend = chance.sample(_PEOPLE, 2)
        size = chance.randrange(5_000_000, 50_000_000, 1000)
        more = chance.sample(_MORE_KEYWORDS, 2)
        password = f"{chance.choice(_THINGS)}-{chance.choice(_THINGS)}-{chance.randrange(100, 999)}"
        client, server = variant.client, variant.server
        own = f"mx{chance.randrange(1, 9)}.{here}.example"
        name_inside = client.name_inside and f"gw{chance.randrange(1, 9)}.{here}.example"
        client = msgspec.structs.replace(
            client,
            name=own,
            name_inside=name_inside,
            user=person,
            password=password,
            patience=min(client.patience, PATIENCE),
        )
        server = msgspec.structs.replace(
            server,
            name=f"mx{chance.randrange(1, 9)}.{there}.example",
            keywords=(more[0], f"SIZE {size}", "8BITMIME", more[1]),
        )
        subject = f"{chance.choice(_THINGS).title()} {chance.randrange(100, 999)}"
        mail = Mail(
            sender=f"{person}@{here}.example",
            recipients=(f"{friend}@{there}.example",),
            subject=subject,
        )
        return _scenario(self.exercise.name, client, server, variant.middlebox, mail, variant.about)

    def others(self) -> list[Variant]:
        """The situations that this learner did not meet."""
        return [found for found in self.exercise.variant if found.name != self.variant.name]

    def tried(self, scenario: Scenario, trial: Trial) -> Scenario:
        """The scenario with what a trial puts in place of it."""
        return msgspec.structs.replace(
            scenario,
            client=changed(scenario.client, trial.client),
            server=changed(scenario.server, trial.server),
            middlebox=changed(scenario.middlebox, trial.middlebox),
        )


def changed(policy: Any, changes: dict[str, Any]) -> Any:
    """A policy with some keys changed. Raises `msgspec.ValidationError`."""
    fields = {name: getattr(policy, name) for name in policy.__struct_fields__}
    return msgspec.convert({**fields, **changes}, type(policy))


def _scenario(
    name: str,
    client: ClientPolicy,
    server: ServerPolicy,
    middlebox: MiddleboxPolicy,
    mail: Mail,
    about: str,
) -> Scenario:
    return Scenario(
        name=f"exercise-{name}",
        title=about,
        question=about,
        watch=about,
        conclude=about,
        client=client,
        server=server,
        middlebox=middlebox,
        mail=mail,
    )
