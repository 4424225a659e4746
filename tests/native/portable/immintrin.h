// The intrinsics of x86 in plain C++ (SIMDe; Debian: libsimde-dev), for compilers that are to find this file before
// their own: kernels can then be run on CPUs without their instructions. What SIMDe 0.7.4 lacks of them follows.
#pragma once

#define SIMDE_NO_NATIVE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <cstdint>
#include <cstring>

#define HASHINDEX_TARGET_BEGIN(features)  // no instructions of the CPU are asked for
#define HASHINDEX_TARGET_END

#define __mmask8 simde__mmask8
#define _mm512_shuffle_i64x2(a, b, order) simde_mm512_shuffle_i32x4(a, b, order)  // both move 128 bits at a time

inline __mmask8 _mm512_cmplt_epu64_mask(__m512i a, __m512i b) {
    return static_cast<__mmask8>(~_mm512_cmple_epu64_mask(b, a));
}

inline __mmask8 _mm512_mask_cmplt_epu64_mask(__mmask8 mask, __m512i a, __m512i b) {
    return static_cast<__mmask8>(mask & _mm512_cmplt_epu64_mask(a, b));
}

inline __m512i _mm512_maskz_loadu_epi64(__mmask8 mask, const void* from) {
    std::uint64_t words[8] = {};
    for (int i = 0; i < 8; ++i)
        if (mask >> i & 1) std::memcpy(words + i, static_cast<const unsigned char*>(from) + 8 * i, 8);
    return _mm512_loadu_si512(words);
}

inline std::uint64_t _pext_u64(std::uint64_t word, std::uint64_t mask) {
    std::uint64_t bits = 0;
    for (int i = 0; mask; mask &= mask - 1) bits |= (word >> __builtin_ctzll(mask) & 1) << i++;
    return bits;
}
