#include "dispatch.h"

#include <stdexcept>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hashindex {
namespace {

#if defined(__x86_64__)
// Bit numbers: Intel SDM volume 2A, CPUID; XCR0: volume 1, section 13.3. The OS must save the wide registers too.
struct Cpu {
    bool popcnt = false, avx2 = false, avx512bw = false, avx512 = false;

    Cpu() {
        unsigned a = 0, b = 0, c = 0, d = 0;
        if (!__get_cpuid(1, &a, &b, &c, &d)) return;
        popcnt = c >> 23 & 1;
        if (!(c >> 27 & 1)) return;  // OSXSAVE: XGETBV may be used
        unsigned xcr0 = 0, high = 0;
        __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
        const bool ymm_saved = (xcr0 & 0x06) == 0x06;
        const bool zmm_saved = (xcr0 & 0xe6) == 0xe6;
        if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
        const bool bmi2 = popcnt && (b >> 8 & 1);
        avx2 = ymm_saved && bmi2 && (b >> 5 & 1);
        const bool wide = zmm_saved && bmi2 && (b >> 16 & 1) && (b >> 17 & 1);  // F, DQ
        avx512bw = wide && avx2 && (b >> 30 & 1);
        avx512 = wide && (c >> 14 & 1);  // VPOPCNTDQ
    }
};
#endif

}  // namespace

std::vector<Compiled> compiled_kernels() {
#if defined(__x86_64__)
    static const Cpu cpu;  // asked once: CPUID ends in the hypervisor of a virtual machine, for some 7 us a leaf
    return {
        {&avx512_kernel, cpu.avx512}, {&avx512bw_kernel, cpu.avx512bw}, {&avx2_kernel, cpu.avx2},
        {&popcnt_kernel, cpu.popcnt}, {&scalar_kernel, true},
    };
#elif defined(__aarch64__)
    return {{&neon_kernel, true}, {&scalar_kernel, true}};  // every AArch64 CPU has NEON
#else
    return {{&scalar_kernel, true}};
#endif
}

std::vector<const Kernel*> available_kernels() {
    std::vector<const Kernel*> kernels;
    for (const Compiled& one : compiled_kernels())
        if (one.runs) kernels.push_back(one.kernel);
    return kernels;
}

const Kernel& find_kernel(const std::string& isa) {
    std::string names;
    for (const Kernel* kernel : available_kernels()) {
        if (isa == kernel->isa) return *kernel;
        names += (names.empty() ? "" : ", ") + std::string(kernel->isa);
    }
    throw std::invalid_argument("isa '" + isa + "' cannot run on this CPU; it has: " + names);
}

}  // namespace hashindex
