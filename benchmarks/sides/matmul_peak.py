"""The machine's peak: ``python -m benchmarks.sides.matmul_peak``.

Multiplies two bfloat16 matrices of 4096 x 4096 and prints the best GFLOP/s of some tries.
"""

import time

import tensorflow as tf

SIZE = 4096
TRIES = 5


def main() -> None:
    """Prints the figure."""
    left = tf.cast(tf.random.normal([SIZE, SIZE]), tf.bfloat16)
    right = tf.cast(tf.random.normal([SIZE, SIZE]), tf.bfloat16)
    seconds = []
    for _ in range(TRIES + 1):
        started = time.perf_counter()
        tf.matmul(left, right)[0, 0].numpy()
        seconds.append(time.perf_counter() - started)
    print(2 * SIZE**3 / min(seconds[1:]) / 1e9)


if __name__ == "__main__":
    main()
