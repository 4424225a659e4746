// Which kernels this CPU can run. Nothing is cached or chosen at start-up: callers ask once per batch.
#pragma once

#include <string>
#include <vector>

#include "kernel.h"

namespace hashindex {

// Best first; the last one, scalar, always runs.
std::vector<const Kernel*> available_kernels();

// Throws std::invalid_argument for a name that is unknown or that this CPU cannot run.
const Kernel& find_kernel(const std::string& isa);

}  // namespace hashindex
