// SPDX-License-Identifier: GPL-2.0
//! The only unsafe code: safe wrappers of the C shims and of the kernel, one file per noun.
