#!/usr/bin/env python3
"""Reads HdrHistograms in their V2 compressed encoding, by the format's description alone.

usage: hdr_decode.py < LINES    each line: base64, a space, and expectations NAME=VALUE:
         count=N  min=V  max=V (within a bucket)  pP=V (the percentile, exact)
Prints what does not hold; exit 1 when anything does not.
"""
import base64, math, struct, sys, zlib
from fractions import Fraction


def varints(data):
    at = 0
    while at < len(data):
        value = shift = 0
        for position in range(9):
            byte = data[at]
            at += 1
            if position == 8:
                value |= byte << shift
                break
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield (value >> 1) ^ -(value & 1)


class Histogram:
    def __init__(self, text):
        outer = base64.b64decode(text, validate=True)
        cookie, length = struct.unpack(">II", outer[:8])
        assert cookie & ~0xF0 == 0x1C849304, f"compressed cookie {cookie:x}"
        assert len(outer) == 8 + length, "length of the compressed part"
        inner = zlib.decompress(outer[8:])
        cookie, length, offset, digits, lowest, highest, ratio = struct.unpack(">IIiiqqd", inner[:40])
        assert cookie & ~0xF0 == 0x1C849303 and cookie & 0xF0 == 0x10, f"cookie {cookie:x}"
        assert len(inner) == 40 + length, "length of the counts"
        assert (offset, lowest, ratio) == (0, 1, 1.0), (offset, lowest, ratio)
        self.digits, self.highest = digits, highest
        # A bucket has as many counts as resolve 2 * 10^digits; the first has twice the half.
        self.half = 2 ** (math.ceil(math.log2(2 * 10**digits)) - 1)
        self.counts = {}
        index = 0
        for value in varints(inner[40:]):
            if value < 0:
                index -= value
                continue
            if value:
                self.counts[index] = value
            index += 1

    def range(self, index):
        bucket = max(index // self.half - 1, 0)
        low = (index - bucket * self.half) << bucket
        return low, low + (1 << bucket) - 1

    def percentile(self, p):
        total, seen = sum(self.counts.values()), 0
        rank = max(1, math.ceil(p * total / 100))
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= rank:
                return self.range(index)


def check(line):
    text, *expectations = line.split()
    histogram = Histogram(text)
    for expectation in expectations:
        name, want = expectation.split("=")
        want = int(want)
        if name == "count":
            ok = sum(histogram.counts.values()) == want
        elif name == "digits":
            ok = histogram.digits == want
        else:
            indices = sorted(histogram.counts)
            if name == "min":
                low, high = histogram.range(indices[0])
            elif name == "max":
                low, high = histogram.range(indices[-1])
            else:
                low, high = histogram.percentile(Fraction(name[1:]))
            ok = low <= want <= high
        if not ok:
            yield f"{expectation} does not hold for {text[:40]}"


def main():
    problems, lines = [], 0
    for line in sys.stdin:
        lines += 1
        problems += check(line)
    print("\n".join(problems) or f"{lines} histograms read")
    return 1 if problems or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
