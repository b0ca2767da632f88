"""Files of weights for Dense(1) over one feature that reach out of themselves, or are other than
they say. The HDF5 library accepts all of them."""

import os

import h5py
import numpy

KERNEL = "layers/dense/vars/0"
BIAS = "layers/dense/vars/1"
ONE = numpy.zeros((1, 1), "f4")


def plan(**settings):
    """Settings of an array that h5py has no words for."""
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    for name, values in settings.items():
        getattr(made, name)(*values)
    return made


def raw_array(file, name, sizes, settings):
    """An array without numbers."""
    space = h5py.h5s.create_simple(sizes)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, settings)


def whole(file):
    file[KERNEL] = ONE
    file[BIAS] = ONE[0]


def external_link(file):
    file[KERNEL] = h5py.ExternalLink("/etc/passwd", "/x")


def soft_link(file):
    file[KERNEL] = h5py.SoftLink("/layers")


def external_array(file):
    raw_array(file, KERNEL, (1, 1), plan(set_external=(b"/etc/passwd", 0, 4)))


def loop(file):
    file["layers/dense/again"] = file["layers"]


def unallocated(file):
    raw_array(file, KERNEL, (1 << 20, 1 << 20), plan())


def compressed(file):
    file.create_dataset(KERNEL, data=ONE, chunks=(1, 1), compression="gzip")


def in_pieces(file):
    file.create_dataset(KERNEL, data=ONE, chunks=(1, 1))


def whole_numbers(file):
    file[KERNEL] = ONE.astype("i4")


def without_bias(file):
    file[KERNEL] = ONE


def one_too_many(file):
    whole(file)
    file["layers/dense/vars/2"] = ONE


def big_endian(file):
    file[KERNEL] = numpy.array([[2]], ">f8")
    file[BIAS] = numpy.array([0.5], ">f4")


def newer_layout(file):
    whole(file)


def tracked_order(file):
    whole(file)


def write_all(folder):
    os.makedirs(folder, exist_ok=True)
    for write in (whole, external_link, soft_link, external_array, loop, unallocated, compressed,
                  in_pieces, whole_numbers, without_bias, one_too_many, big_endian, newer_layout, tracked_order):
        path = os.path.join(folder, write.__name__ + ".weights.h5")
        newest = "latest" if write is newer_layout else "earliest"
        tracks = write is tracked_order
        with h5py.File(path, "w", libver=newest, track_order=tracks) as file:
            file.create_group("layers/dense/vars", track_order=tracks)
            write(file)
