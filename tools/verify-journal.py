#!/usr/bin/env python3
"""Verifies a TracSeq journal without any TracSeq code: Python's standard library only.

usage: verify-journal.py JOURNAL [--expect-head SEQUENCE[:HASH]]

JOURNAL is journal.sqlite or the home that holds it. Exit status: 0 whole, 1 broken (the first bad sequence is printed),
2 the tail is shorter than the expected head. The rule it proves:

    hash = SHA-256( previous[32 bytes, first all zero] + uint64 big endian(sequence) + SHA-256(payload bytes as stored) )

and that the columns say what the hashed payload says, that every domain counts without unannounced gaps, that epochs and
gaps stand in the chain and in the epoch table alike, and that no checkpoint names an entry or hash that is not there.
It does not check the checkpoints' Ed25519 signatures, because the standard library has no Ed25519; `tracseq verify` does.
"""

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile

COLUMNS = {
    "kind": "kind",
    "domain": "domain",
    "domainSequence": "domain_sequence",
    "changeSetId": "change_set_id",
    "origin": "origin",
    "actorId": "actor_id",
    "workstationId": "workstation_id",
    "hybridLogicalTime": "hybrid_logical_time",
    "reason": "reason",
    "correlationId": "correlation_id",
    "recordedAt": "recorded_at",
}


class Journal:
    def __init__(self, database):
        self.database = database
        self.bad = []
        self.hashes = {}
        self.last = 0
        self.epochs = {}
        self.gaps = set()
        self.domains = {}

    def blame(self, sequence, words):
        self.bad.append((sequence, words))

    def verify(self):
        try:
            self.verify_chain()
            self.verify_epochs()
            self.verify_checkpoints()
        except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
            self.blame(self.last + 1, f"cannot be read: {error}")

    def verify_chain(self):
        previous = bytes(32)
        names = ", ".join(COLUMNS.values())
        rows = self.database.execute(
            f"SELECT sequence, payload_hash, hash, event_names, CAST(payload AS BLOB), {names} FROM journal_entry ORDER BY sequence"
        )
        for sequence, payload_hash, entry_hash, event_names, payload, *columns in rows:
            if sequence != self.last + 1:
                self.blame(self.last + 1, "entries are missing")
            if payload is not None and hashlib.sha256(payload).digest() != payload_hash:
                self.blame(sequence, "the payload is not the one that was hashed")
            expected = hashlib.sha256(previous + sequence.to_bytes(8, "big") + payload_hash).digest()
            if expected != entry_hash:
                self.blame(sequence, "the hash does not follow from the entry before it")
            entry = dict(zip(COLUMNS, columns))
            entry["eventNames"] = json.loads(event_names)
            body = {}
            if payload is not None:
                stored = json.loads(payload)
                body = stored["body"]
                if stored["entry"] != entry:
                    self.blame(sequence, "the columns are not what the payload says")
            self.follow_domain(sequence, entry, body, payload is None)
            self.hashes[sequence] = previous = entry_hash
            self.last = sequence

    def follow_domain(self, sequence, entry, body, removed):
        domain, number = entry["domain"], entry["domainSequence"]
        expected = self.domains.get(domain, 0) + 1
        self.domains[domain] = number
        if entry["kind"] == "epoch":
            self.epochs[sequence] = (entry["recordedAt"], entry["reason"])
        if entry["kind"] == "gap":
            if not removed:
                self.gaps.add((domain, body["lostFrom"], body["lostTo"], sequence))
            if number < expected or (not removed and (body["lostFrom"], body["lostTo"]) != (expected, number)):
                self.blame(sequence, "the gap is not the one it announces")
        elif number != expected:
            self.blame(sequence, f"{domain} {number} is out of turn, {expected} was expected")

    def verify_epochs(self):
        due = self.database.execute("SELECT value FROM journal_meta WHERE key = 'epoch_due'").fetchone()
        if due:
            self.blame(self.last + 1, f"a new epoch is due and not announced: {due[0]}")
        rows = self.database.execute(
            "SELECT number, started_at_sequence, started_at, reason, gaps FROM journal_epoch ORDER BY number"
        ).fetchall()
        if self.last and [row[0] for row in rows] != list(range(1, len(rows) + 1)) or (self.last and not rows):
            self.blame(1, "the epoch table is not complete")
        listed = {row[1]: (row[2], row[3]) for row in rows[1:]}
        for sequence in sorted(set(listed.items()) ^ set(self.epochs.items())):
            self.blame(sequence[0], "an epoch does not stand in chain and table alike")
        gaps = {
            (gap["domain"], gap["lostFrom"], gap["lostTo"], gap["sequence"])
            for row in rows
            for gap in json.loads(row[4])
        }
        for gap in gaps ^ self.gaps:
            self.blame(gap[3], "a gap does not stand in chain and table alike")

    def verify_checkpoints(self):
        for sequence, entry_hash in self.database.execute("SELECT sequence, hash FROM journal_checkpoint"):
            if sequence > self.last:
                self.blame(self.last + 1, f"a checkpoint at {sequence} was signed: entries were cut off")
            elif self.hashes.get(sequence) != entry_hash:
                self.blame(sequence, "the checkpoint was signed over another hash")


def open_read_only(path):
    """SQLite cannot read a WAL database in a folder it may not write; then a copy is read."""
    try:
        database = sqlite3.connect(f"file:{path.replace('?', '%3f').replace('#', '%23')}?mode=ro", uri=True)
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return database, None
    except sqlite3.OperationalError:
        folder = tempfile.mkdtemp(prefix="tracseq-verify-")
        copy = os.path.join(folder, "journal.sqlite")
        for suffix in ("", "-wal"):
            if os.path.exists(path + suffix):
                shutil.copyfile(path + suffix, copy + suffix)
        return sqlite3.connect(copy), folder


def parse_head(text):
    sequence, _, entry_hash = text.partition(":")
    return int(sequence), entry_hash.lower()


def main():
    parser = argparse.ArgumentParser(description="Verifies a TracSeq journal without any TracSeq code.")
    parser.add_argument("journal", help="journal.sqlite, or the home that holds it")
    parser.add_argument("--expect-head", type=parse_head, metavar="SEQUENCE[:HASH]", default=(0, ""))
    arguments = parser.parse_args()
    path = arguments.journal
    if os.path.isdir(path):
        path = os.path.join(path, "journal.sqlite")
    sequence, entry_hash = arguments.expect_head

    if not os.path.exists(path):
        print(f"there is no journal at {path}")
        return 2 if sequence else 1
    try:
        database, folder = open_read_only(path)
    except sqlite3.Error as error:
        print(f"broken: first bad sequence 1\n  1: cannot be read: {error}")
        return 1
    journal = Journal(database)
    journal.verify()
    database.close()
    if folder:
        shutil.rmtree(folder)

    if entry_hash and sequence in journal.hashes and journal.hashes[sequence].hex() != entry_hash:
        journal.blame(sequence, "it is another entry than the expected one")
    if journal.bad:
        print(f"broken: first bad sequence {min(journal.bad)[0]}")
        for number, words in sorted(journal.bad)[:50]:
            print(f"  {number}: {words}")
        return 1
    if journal.last < sequence:
        print(f"tail short: the journal ends at {journal.last}, {sequence} was expected")
        return 2
    head = journal.hashes[journal.last].hex() if journal.last else "none"
    print(f"whole: {journal.last} entries, head {head}")
    print("checkpoint signatures were not checked: Python's standard library has no Ed25519")
    return 0


if __name__ == "__main__":
    sys.exit(main())
