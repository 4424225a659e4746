// What a search structure answers of one part of an index. A structure is its own pair of files and a line in
// bindings/register.h, bindings/module.cpp and CMakeLists.txt each; nothing else here knows which there are, but for
// the scan, which any part can be searched by.
#pragma once

#include "codes.h"
#include "execution.h"
#include "results.h"

namespace hashindex {

// The rows of one part with the structure's own arrays, all borrowed.
class Structure {
public:
    virtual ~Structure() = default;

    // All rows within radii[q] (inclusive) of each query q.
    virtual RadiusHits radius(const Rows& rows, const Codes& queries, const std::int32_t* radii,
                              const Execution& execution, Work& work, HitBudget& budget) const = 0;

    // The k <= rows.codes.count nearest rows of each query q within radii[q].
    virtual void nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                         const NearestOutput& output, Work& work) const = 0;

    // Whether its arrays are about as many codes of that size.
    virtual bool fits(const Codes&) const { return true; }
};

}  // namespace hashindex
