#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../search/plan.h"
#include "../search/scan.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

// A part with the arrays that it borrows.
class BoundPart {
public:
    BoundPart(Array<std::uint8_t> codes, std::optional<Array<std::int64_t>> ids, std::int64_t first_id,
              std::optional<Array<std::int64_t>> starts, std::optional<Array<std::uint32_t>> holders)
        : codes_(std::move(codes)),
          ids_(std::move(ids)),
          starts_(std::move(starts)),
          holders_(std::move(holders)),
          part_{{as_codes(codes_), {}},
                static_cast<std::size_t>(holders_ ? holders_->size() : codes_.shape(0)),
                ids_ ? ids_->data() : nullptr,
                first_id,
                starts_ ? starts_->data() : nullptr,
                holders_ ? holders_->data() : nullptr,
                {}} {
        const Codes& view = part_.rows.codes;
        require(view.count < (std::uint64_t{1} << row_bits), "too many codes");
        require(starts_.has_value() == holders_.has_value(), "postings are starts and holders");
        require(!starts_ || static_cast<std::size_t>(starts_->size()) == view.count + 1, "starts do not fit the codes");
        require(!starts_ || starts_->at(starts_->size() - 1) == holders_->size(), "starts do not fit the holders");
        require(!ids_ || static_cast<std::size_t>(ids_->size()) == part_.n_rows, "ids must have shape (n_rows,)");
    }

    const Part& part() const { return part_; }

    // Its first rows, as long as it has no postings.
    Part first(std::size_t n_rows) const {
        require(n_rows <= part_.rows.codes.count && !part_.starts, "fewer rows than that");
        Part some = part_;
        some.rows.codes.count = some.n_rows = n_rows;
        return some;
    }

private:
    const Array<std::uint8_t> codes_;
    const std::optional<Array<std::int64_t>> ids_, starts_;
    const std::optional<Array<std::uint32_t>> holders_;
    const Part part_;
};

using GivenStep =
    std::tuple<std::shared_ptr<BoundPart>, std::shared_ptr<Structure>, std::optional<Array<std::int64_t>>>;

// The rows that were removed from a part, and the holders, each with the arrays that it borrows.
struct GivenLost {
    std::optional<GivenRemoved> rows, holders;
};

// One code, or rows of them, and the radius of each: one number, or an array of as many.
struct Queries {
    Codes codes;
    bool single;
    std::vector<std::int32_t> radii;

    Queries(const Array<std::uint8_t>& queries, const py::object& given)
        : codes{queries.data(), queries.ndim() == 2 ? static_cast<std::size_t>(queries.shape(0)) : 1,
                static_cast<std::size_t>(queries.ndim() ? queries.shape(queries.ndim() - 1) : 0)},
          single(queries.ndim() == 1) {
        require((queries.ndim() == 1 || queries.ndim() == 2) && codes.code_size >= 1, "queries are codes");
        if (PyLong_Check(given.ptr())) {
            radii.assign(codes.count, given.cast<std::int32_t>());
        } else {
            const auto array = given.cast<Array<std::int32_t>>();
            require(array.ndim() == 1 && static_cast<std::size_t>(array.size()) == codes.count, "a radius per query");
            radii.assign(array.data(), array.data() + array.size());
        }
        for (const std::int32_t radius : radii)
            require(radius >= 0 && static_cast<std::size_t>(radius) <= 8 * codes.code_size,
                    "radii must lie between 0 and the bits of a code");
    }
};

constexpr std::size_t few_matches = 1024;  // and queries, for which writing takes less than another wait for the GIL

class Plan {
public:
    Plan(const std::string& isa, py::object pool, std::vector<GivenStep> steps)
        : kernel_(find_kernel(isa)),
          pool_object_(std::move(pool)),
          pool_(pool_object_.cast<ThreadPool&>()),
          given_(std::move(steps)) {
        for (const auto& [part, structure, looked] : given_) {
            require(part && structure, "a step is a part and its structure");
            require(structure->fits(part->part().rows.codes), "a structure of another part");
            require(!looked || static_cast<std::size_t>(looked->size()) == 8 * part->part().rows.codes.code_size + 1,
                    "looked must have a count per distance");
            steps_.push_back(
                {part->part(), structure.get(), looked ? const_cast<std::int64_t*>(looked->data()) : nullptr});
        }
    }

    // (offsets, distances, ids[, reports]); None if several queries have more than `most_hits`.
    py::object radius(const Array<std::uint8_t>& queries, const py::object& radii, const py::object& tail,
                      std::size_t n_tail, const py::object& removed, std::size_t most_hits, std::size_t n_threads,
                      bool report) const {
        const Queries given(queries, radii);
        const std::vector<GivenLost> lost = as_lost(removed);
        const std::vector<Step> steps = with_tail(tail, n_tail, lost, given.codes);
        std::vector<StepReport> reports;
        std::optional<RadiusSearch> search;
        std::optional<Array<std::int32_t>> distances;
        std::optional<Array<std::int64_t>> ids;
        try {
            run_without_gil(kernel_, pool_, n_threads, [&](const Execution& execution, Unlocked& unlocked) {
                search.emplace(steps, given.codes, given.radii.data(), most_hits, execution,
                               report ? &reports : nullptr);
                const std::int64_t total = search->offsets().back();
                std::int32_t* distances_data = nullptr;
                std::int64_t* ids_data = nullptr;
                if (static_cast<std::size_t>(total) + given.codes.count <= few_matches) unlocked.end();
                unlocked.locked([&] {
                    distances_data = distances.emplace(total).mutable_data();
                    ids_data = ids.emplace(total).mutable_data();
                });
                search->write(distances_data, ids_data);
                search->free_hits();  // gigabytes, perhaps, while the GIL is not held
            });
        } catch (const HitBudget::Exceeded&) {
            if (PyErr_Occurred()) throw py::error_already_set();  // Ctrl-C came while other threads were ending
            return py::none();
        }
        const std::vector<std::int64_t>& offsets = search->offsets();
        const Array<std::int64_t> rows(static_cast<py::ssize_t>(offsets.size()), offsets.data());
        if (report) return py::make_tuple(rows, *distances, *ids, as_list(reports));
        return py::make_tuple(rows, *distances, *ids);
    }

    // (distances, ids[, reports]), each (n_queries, k); (k,) for one code. `proven` is None or bool (n_queries,), all
    // true: what structures that stop early cannot vouch for becomes false.
    py::tuple nearest(const Array<std::uint8_t>& queries, std::size_t k, const py::object& radii,
                      const py::object& tail, std::size_t n_tail, const py::object& removed, std::size_t n_threads,
                      bool report, const py::object& proven) const {
        const Queries given(queries, radii);
        require(k >= 1, "k must be at least 1");
        const std::vector<GivenLost> lost = as_lost(removed);
        const std::vector<Step> steps = with_tail(tail, n_tail, lost, given.codes);
        const auto width = static_cast<py::ssize_t>(k);
        const auto shape = given.single ? std::vector{width} : std::vector{queries.shape(0), width};
        Array<std::int32_t> distances(shape);
        Array<std::int64_t> ids(shape);
        std::int32_t* distances_data = distances.mutable_data();
        std::int64_t* ids_data = ids.mutable_data();
        bool* proven_data = nullptr;
        if (!proven.is_none()) {
            require(Array<bool>::check_(proven), "flags are a bool array");
            auto array = proven.cast<Array<bool>>();
            require(array.ndim() == 1 && static_cast<std::size_t>(array.size()) == given.codes.count,
                    "a flag per query");
            proven_data = array.mutable_data();
        }
        std::vector<StepReport> reports;
        run_without_gil(kernel_, pool_, n_threads, [&](const Execution& execution, Unlocked&) {
            nearest_search(steps, given.codes, k, given.radii.data(), execution, distances_data, ids_data, proven_data,
                           report ? &reports : nullptr);
        });
        if (report) return py::make_tuple(distances, ids, as_list(reports));
        return py::make_tuple(distances, ids);
    }

private:
    // None, or for each step None or (rows, holders).
    std::vector<GivenLost> as_lost(const py::object& removed) const {
        std::vector<GivenLost> lost;
        if (removed.is_none()) return lost;
        for (const py::handle one : removed.cast<py::sequence>()) {
            GivenLost given;
            if (!one.is_none())
                std::tie(given.rows, given.holders) =
                    one.cast<std::pair<std::optional<GivenRemoved>, std::optional<GivenRemoved>>>();
            lost.push_back(std::move(given));
        }
        require(lost.size() == steps_.size(), "removed must have an entry per step");
        return lost;
    }

    // `tail` is a BoundPart or None: an object, since pybind11 takes None for a pointer at its second try only.
    std::vector<Step> with_tail(const py::object& tail, std::size_t n_tail, const std::vector<GivenLost>& lost,
                                const Codes& queries) const {
        static const Scan scan;
        std::vector<Step> steps;
        steps.reserve(steps_.size() + 1);
        steps = steps_;
        for (std::size_t i = 0; i < lost.size(); ++i) {
            Part& part = steps[i].part;
            part.rows.removed = as_removed(lost[i].rows, part.rows.codes.count);
            part.lost = as_removed(lost[i].holders, part.n_rows);
        }
        if (n_tail) steps.push_back({tail.cast<const BoundPart&>().first(n_tail), &scan, nullptr});
        for (const Step& step : steps)
            require(step.part.rows.codes.code_size == queries.code_size, "queries and codes differ in code_size");
        return steps;
    }

    static py::list as_list(const std::vector<StepReport>& reports) {
        py::list rows;
        for (const StepReport& one : reports)
            rows.append(py::make_tuple(one.work.lookups, one.work.candidates, one.nanoseconds, one.work.isa));
        return rows;
    }

    const Kernel& kernel_;
    const py::object pool_object_;
    ThreadPool& pool_;
    const std::vector<GivenStep> given_;
    std::vector<Step> steps_;
};

}  // namespace

void register_plan(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    py::class_<Structure, std::shared_ptr<Structure>>(m, "Structure");
    py::class_<BoundPart, std::shared_ptr<BoundPart>>(m, "Part").def(
        py::init<Array<std::uint8_t>, std::optional<Array<std::int64_t>>, std::int64_t,
                 std::optional<Array<std::int64_t>>, std::optional<Array<std::uint32_t>>>(),
        a("codes"), a("ids"), py::arg("first_id"), a("starts"), a("holders"));
    py::class_<Plan>(m, "Plan")
        .def(py::init<const std::string&, py::object, std::vector<GivenStep>>(), py::arg("isa"), py::arg("pool"),
             a("steps"))
        .def("radius", &Plan::radius, a("queries"), py::arg("radii"), py::arg("tail"), py::arg("n_tail"),
             py::arg("removed"), py::arg("most_hits"), py::arg("n_threads"), py::arg("report"))
        .def("nearest", &Plan::nearest, a("queries"), py::arg("k"), py::arg("radii"), py::arg("tail"),
             py::arg("n_tail"), py::arg("removed"), py::arg("n_threads"), py::arg("report"), py::arg("proven"));
}

}  // namespace hashindex
