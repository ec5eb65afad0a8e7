"""The machine's peak: ``python -m benchmarks.sides.matmul_peak PRECISION``.

Multiplies two matrices of 4096 x 4096, in bfloat16 or float32, and prints the best GFLOP/s of some
tries.
"""

import sys
import time

import tensorflow as tf

SIZE = 4096
TRIES = 5


def main(precision: str) -> None:
    """Prints the figure."""
    left = tf.cast(tf.random.normal([SIZE, SIZE]), precision)
    right = tf.cast(tf.random.normal([SIZE, SIZE]), precision)
    seconds = []
    for _ in range(TRIES + 1):
        started = time.perf_counter()
        tf.matmul(left, right)[0, 0].numpy()
        seconds.append(time.perf_counter() - started)
    print(2 * SIZE**3 / min(seconds[1:]) / 1e9)


if __name__ == "__main__":
    main(*sys.argv[1:])
