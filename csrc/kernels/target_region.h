// Compiles the functions between BEGIN and END for the named CPU features, and nothing else in the file: with
// compiler flags per file, an inline std function built for AVX-512 could win at link time and crash an old CPU.
// Inside a region: plain functions only (no templates, no lambdas, of std:: what C has), includes stay outside.
#pragma once

#define HASHINDEX_PRAGMA(text) _Pragma(#text)

#if defined(HASHINDEX_TARGET_BEGIN)  // by intrinsics that need no such features (tests/native/portable)
#elif defined(__clang__)
#define HASHINDEX_TARGET_BEGIN(features) \
    HASHINDEX_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define HASHINDEX_TARGET_END HASHINDEX_PRAGMA(clang attribute pop)
#elif defined(__GNUC__)
#define HASHINDEX_TARGET_BEGIN(features) HASHINDEX_PRAGMA(GCC push_options) HASHINDEX_PRAGMA(GCC target(features))
#define HASHINDEX_TARGET_END HASHINDEX_PRAGMA(GCC pop_options)
#else
#error "hashindex needs GCC or Clang; without them install the pure-Python wheel (HASHINDEX_PURE=1)"
#endif

// Unrolls a short loop of constant length, so that the array it walks over lives in registers.
#if defined(__clang__)
#define HASHINDEX_UNROLL HASHINDEX_PRAGMA(unroll)
#else
#define HASHINDEX_UNROLL HASHINDEX_PRAGMA(GCC unroll 8)
#endif
