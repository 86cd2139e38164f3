#!/usr/bin/python3
"""memory.py - is a token in the memory of what runs in sandboxes?

    memory.py PID MODEL-LOG WORD...

Searches what is resident, and the environment and arguments, of all processes below PID that are
inside, pid 1 of each sandbox among them.  Of what a file backs, only
what was written to.  Sought are the tokens of the scripted model (tests/agents/model.mjs), as they
are and in base64, those that it was shown (its log), and the WORDs.
Prints how many processes were looked at, and a line for each find; exits 1 with one, and where not even
that was found which the model has told each agent.  As the user who started them: the owner of a
sandbox's user namespace may look.
"""
import base64
import json
import os
import re
import sys

TOLD = b"echo written by the agent"
STEP = 1 << 22
OVERLAP = 4096


def stat(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        name, rest = f.read().rsplit(b")", 1)
    return name.split(b"(", 1)[1].decode(errors="replace"), int(rest.split()[1])


def below(top):
    """All processes that top started, with their names."""
    seen = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            seen[int(pid)] = stat(pid)
        except (OSError, ValueError):
            pass
    found, last = {top}, 0
    while last != len(found):
        last = len(found)
        found |= {p for p, (_, parent) in seen.items() if parent in found}
    return {p: seen[p][0] for p in found if p in seen and p != top}


def areas(pid):
    """What is resident of it, and is its own."""
    area, writable = None, False
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ (\d+)", line)
            if m:
                area = int(m[1], 16), int(m[2], 16)
                writable = m[4] == "0" or "w" in m[3]
            elif line.startswith("Rss:") and area and writable and line.split()[1] != "0":
                yield area


def resident(pid, start, end):
    """Its pages that are there, joined: a heap may have reserved gigabytes."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as f:
        f.seek(start // 4096 * 8)
        at = None
        for page in range(start, end, 4096 * 65536):
            bits = f.read(min(65536, (end - page) // 4096) * 8)
            n = len(bits) // 8  # none of one that has just ended
            for i in range(n):
                here = bits[i * 8 + 7] & 0xC0
                if here and at is None:
                    at = page + i * 4096
                elif not here and at is not None:
                    yield at, page + i * 4096
                    at = None
        if at is not None:
            yield at, end


def coded(word):
    """Base64 of it with 0, 1 or 2 bytes before it; what depends on its neighbours is left out."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + word)
        yield text[4 if shift else 0:(shift + len(word)) // 3 * 4]


class Sought:
    """The model's tokens by their form, and words.  Few passes over gigabytes: each with a literal
    beginning, and base64 only where its beginning stands."""

    def __init__(self, words):
        self.forms = [re.compile(k + rb"-[0-9]+-[0-9a-f]{24}") for k in (b"access", b"refresh")]
        self.words = words
        self.coded = {c for w in words for c in coded(w)}
        self.begin = {c for k in (b"access-", b"refresh-") for c in coded(k)}
        self.begin |= {c[:12] for w in words for c in coded(w)}

    def stands_in(self, data):
        return any(f.search(data) for f in self.forms) or any(w in data for w in self.words) or (
            any(b in data for b in self.begin) and any(c in data for c in self.coded))


def search(pid, want):
    size, told = 0, False
    for what in ("environ", "cmdline"):
        with open(f"/proc/{pid}/{what}", "rb") as f:
            if want.stands_in(f.read()):
                return size, told, what
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end in areas(pid):
            for a, b in resident(pid, start, end):
                size += b - a
                for at in range(a, b, STEP):
                    try:
                        data = os.pread(mem.fileno(), min(STEP + OVERLAP, b - at), at)
                    except OSError:
                        continue
                    told = told or TOLD in data
                    if want.stands_in(data):
                        return size, told, f"memory at {at:x}"
    return size, told, None


def main():
    top, log, words = int(sys.argv[1]), sys.argv[2], [w.encode() for w in sys.argv[3:]]
    with open(log) as f:
        for line in f:
            auth = json.loads(line).get("auth", {}).get("authorization", "")
            if auth.startswith("Bearer "):
                words.append(auth[7:].encode())
    want = Sought(set(words))
    outside = os.readlink("/proc/self/ns/pid")
    looked, total, knew, finds = 0, 0, 0, 0
    for pid, name in below(top).items():
        try:
            if os.readlink(f"/proc/{pid}/ns/pid") == outside:
                continue
            size, told, where = search(pid, want)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        except PermissionError:
            continue  # not dumpable, and outside: the relay, the front
        looked += 1
        total += size
        knew += told
        if where:
            finds += 1
            print(f"FOUND in {name} ({pid}): {where}")
    print(f"{looked} processes, {total >> 20} MiB, the task in {knew} of them: {finds or 'no'} token"
          f"{'s' * (finds != 1)}")
    sys.exit(finds > 0 or knew == 0)


main()
