// Folds: codes whose words are XORed together, so many as make a code some times as narrow. Folding is linear, so the
// distance of two folds is the weight of the fold of their difference: never more than their own distance. A scan of
// the folds reads a fraction of the bytes, and only codes whose folds are near have to be looked at themselves.
#pragma once

#include "structure.h"

namespace hashindex {

// Byte i of a code is XORed into byte i % fold_size of its fold. Borrowed, perhaps from a map of a file.
struct Folds {
    Codes folds;  // (n_codes, fold_size)
};

// Writes the folds of the codes to folds (n_codes, fold_size); fold_size > 0.
void build_folds(const Codes& codes, std::size_t fold_size, unsigned char* folds, const Execution& execution);

// As scan_radius. Work tells how many folds were near enough to look at their codes.
RadiusHits folds_radius(const Rows& rows, const Folds& folds, const Codes& queries, const std::int32_t* radii,
                        const Execution& execution, Work& work, HitBudget& budget);

// As scan_nearest; the first codes are scanned themselves, for a limit to begin with.
void folds_nearest(const Rows& rows, const Folds& folds, const Codes& queries, const std::int32_t* radii,
                   const Execution& execution, const NearestOutput& output, Work& work);

}  // namespace hashindex
