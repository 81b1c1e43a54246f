"""Reads pairs of files, one pair a line: what was said, what was heard (16 bit, 8 kHz, raw). Writes for each, in order, its PESQ
(ITU-T P.862.1, narrow band) and how much later in milliseconds it was heard."""

import sys
from multiprocessing import Pool

import numpy
import pesq

RATE = 8000
DELAY_MAX = RATE


def read(path):
    return numpy.fromfile(path, dtype="<i2").astype(numpy.float32) / 32768


def delay(said, heard):
    size = 1 << (len(said) + len(heard) - 1).bit_length()
    product = numpy.fft.rfft(heard, size) * numpy.conj(numpy.fft.rfft(said, size))
    fit = numpy.fft.irfft(product, size)[:DELAY_MAX]
    return 1000 * int(numpy.argmax(fit)) / RATE


def score(line):
    said, heard = map(read, line.split("\t"))
    mos = pesq.pesq(RATE, said, heard, "nb", on_error=pesq.PesqError.RETURN_VALUES)
    return f"{mos:.4f} {delay(said, heard):.1f}"


if __name__ == "__main__":
    with Pool() as pool:
        for result in pool.map(score, sys.stdin.read().splitlines()):
            print(result)
