// SPDX-License-Identifier: GPL-2.0
//! What the tools share: the system calls, messages, exit codes.
