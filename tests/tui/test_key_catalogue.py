"""Every key is declared so that the help, the palette and keys.toml can know it."""

from __future__ import annotations

from textual.binding import Binding

from cronpilot.tui.key_catalogue import catalogue, nodes, own_bindings


def bindings() -> list[tuple[str, Binding]]:
    return [(node.__qualname__, one) for node in nodes() for one in own_bindings(node)]


def test_every_key_has_an_id_a_name_and_a_sentence():
    bad = [(node, one.key) for node, one in bindings()
           if not (one.id and "." in one.id and one.description and one.tooltip)]  # fmt: skip
    assert bad == []


def test_keys_that_share_an_id_are_the_same_everywhere():
    keys: dict[str, set[str]] = {}
    for _, one in bindings():
        keys.setdefault(one.id or "", set()).add(one.key)
    assert {id_: found for id_, found in keys.items() if len(found) > 1} == {}


def test_an_id_means_one_thing_in_one_place():
    of_one_class: dict[tuple[str, str | None], int] = {}
    for node, one in bindings():
        of_one_class[node, one.id] = of_one_class.get((node, one.id), 0) + 1
    assert [key for key, count in of_one_class.items() if count > 1] == []


def test_by_default_no_two_actions_fight_for_a_key():
    known = list(catalogue().values())
    fights = [
        (one.id, other.id)
        for index, one in enumerate(known)
        for other in known[index + 1 :]
        if set(one.nodes) & set(other.nodes) and set(one.keys) & set(other.keys)
    ]
    assert fights == []
