"""Where to compute: what a device is good at, and how items get there."""

import torch


def to_device(inputs: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Bring items to a device; images with their channels last, which convolutions read fastest."""
    if inputs.ndim == 4:
        return inputs.to(device, memory_format=torch.channels_last)
    return inputs.to(device)


def has_bf16(device: str) -> bool:
    """Return whether bfloat16 is fast there: GPUs that compute in it, CPUs with AVX512-BF16 or AMX."""
    if torch.device(device).type == "cuda":  # torch's own answer takes emulation, which is slow, for support
        return torch.cuda.is_available() and torch.cuda.get_device_properties(device).major >= 8
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device == "cpu" and any(getattr(torch.cpu, name, lambda: False)() for name in names)
