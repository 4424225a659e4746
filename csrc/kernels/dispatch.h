// Which kernels this CPU can run. Nothing is chosen at start-up: callers ask once per batch.
#pragma once

#include <string>
#include <vector>

#include "kernel.h"

namespace hashindex {

struct Compiled {
    const Kernel* kernel;
    bool runs;  // on this CPU
};

// All kernels of this build, best first.
std::vector<Compiled> compiled_kernels();

// Those of them that run here, of which scalar is the last.
std::vector<const Kernel*> available_kernels();

// Throws std::invalid_argument for a name that is unknown or that this CPU cannot run.
const Kernel& find_kernel(const std::string& isa);

}  // namespace hashindex
