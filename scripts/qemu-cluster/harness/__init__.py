# SPDX-License-Identifier: GPL-2.0
"""A cluster of QEMU nodes on one machine, without root."""
