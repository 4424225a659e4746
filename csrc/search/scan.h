// Linear scan: every code against every query.
#pragma once

#include "codes.h"
#include "execution.h"
#include "results.h"
#include "structure.h"

namespace hashindex {

// All rows within radii[q] (inclusive) of each query q. Throws HitBudget::Exceeded, Stop::Stopped.
RadiusHits scan_radius(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                       Work& work, HitBudget& budget);

// The k nearest rows of each query q within radii[q].
void scan_nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                  const NearestOutput& output, Work& work);

class Scan final : public Structure {
public:
    RadiusHits radius(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                      Work& work, HitBudget& budget) const override {
        return scan_radius(rows, queries, radii, execution, work, budget);
    }
    void nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                 const NearestOutput& output, Work& work) const override {
        scan_nearest(rows, queries, radii, execution, output, work);
    }
};

}  // namespace hashindex
