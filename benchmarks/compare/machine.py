"""What the figures were measured on."""

from __future__ import annotations

import os
import platform


def text_of(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def cpu_fields() -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in text_of("/proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return fields


def has_avx2() -> bool:
    return {"avx2", "fma"} <= set(cpu_fields().get("flags", "").split())


def cache_bytes(level: int) -> int:
    """Of one core's data cache; a usual size where the system does not tell."""
    for index in range(8):
        cache = f"/sys/devices/system/cpu/cpu0/cache/index{index}/"
        size = text_of(cache + "size").strip()
        kind = text_of(cache + "level").strip(), text_of(cache + "type").strip()
        if kind in ((str(level), "Data"), (str(level), "Unified")) and size.endswith("K"):
            return int(size[:-1]) * 1024
    return {1: 32 * 1024, 2: 1024 * 1024}[level]


def describe() -> str:
    fields = cpu_fields()
    numbers = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
    parts = [f"{fields.get('model name', platform.machine())} ({numbers})"]
    parts.append(f"{os.cpu_count()} cores")
    for index in range(8):
        cache = f"/sys/devices/system/cpu/cpu0/cache/index{index}/"
        if text_of(cache + "type").strip() in ("Data", "Unified"):
            parts.append(f"L{text_of(cache + 'level').strip()} {text_of(cache + 'size').strip()}")
    flags = fields.get("flags", "").split()
    parts.append(" ".join(f for f in ("avx2", "fma", "avx512f", "avx512_bf16") if f in flags))
    return ", ".join(parts)
