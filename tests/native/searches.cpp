// Scan and multi-index against the slow reference: every kernel of this CPU, 1 and 3 threads.
#include "../../csrc/kernels/dispatch.h"
#include "../../csrc/search/multi_index.h"
#include "reference.h"

using namespace hashindex;

namespace {

// Tables of `width` bits over the whole code; the last one takes what is left.
struct OwnedTables {
    std::vector<std::int32_t> starts, widths;
    std::vector<std::uint32_t> offsets, rows;

    OwnedTables(const Codes& codes, std::int32_t width, const Execution& execution) {
        const auto n_bits = static_cast<std::int32_t>(8 * codes.code_size);
        std::size_t n_offsets = 0;
        for (std::int32_t start = 0; start < n_bits; start += width) {
            starts.push_back(start);
            widths.push_back(std::min(width, n_bits - start));
            n_offsets += (std::size_t{1} << widths.back()) + 1;
        }
        offsets.resize(n_offsets, 4294967295u);
        rows.resize(widths.size() * codes.count, 4294967295u);
        build_tables(codes, view(), offsets.data(), rows.data(), execution);
    }

    Tables view() const { return {starts.data(), widths.data(), offsets.data(), rows.data(), widths.size()}; }

    // The general pigeonhole: radius + 1 shells dealt out to the tables in turn, so that sum(t_j + 1) = radius + 1.
    std::vector<std::int32_t> thresholds(std::uint32_t radius) const {
        std::vector<std::int32_t> shells(widths.size(), 0);
        for (std::size_t i = 0; i <= radius; ++i) ++shells[i % shells.size()];
        for (std::size_t t = 0; t < shells.size(); ++t) shells[t] = std::min(shells[t] - 1, widths[t]);
        return shells;
    }
};

std::uint32_t slow_key(const unsigned char* code, std::int32_t start, std::int32_t width) {
    std::uint32_t key = 0;
    for (std::int32_t bit = start; bit < start + width; ++bit)
        key = key << 1 | static_cast<std::uint32_t>(code[bit / 8] >> (7 - bit % 8) & 1);
    return key;
}

void check_keys() {
    const std::vector<unsigned char> code = {0x9d, 0x33, 0xf0, 0x0e, 0x57, 0xc2, 0x81, 0x6a};
    for (std::int32_t width = 1; width <= 30; ++width)
        for (std::int32_t start = 0; start + width <= 64; ++start)
            CHECK(read_key(code.data(), start, width) == slow_key(code.data(), start, width),
                  std::to_string(start) + "+" + std::to_string(width));
}

void check_buckets(const Codes& codes, const OwnedTables& tables) {
    const std::string context =
        "code_size=" + std::to_string(codes.code_size) + " n_codes=" + std::to_string(codes.count);
    const std::uint32_t* offset = tables.offsets.data();
    const std::uint32_t* row = tables.rows.data();
    for (std::size_t t = 0; t < tables.widths.size(); ++t) {
        CHECK(*offset == 0, context);
        for (std::uint32_t key = 0; key < std::uint32_t{1} << tables.widths[t]; ++key, ++offset) {
            CHECK(offset[0] <= offset[1] && offset[1] <= codes.count, context);
            for (std::uint32_t i = offset[0]; i < offset[1]; ++i, ++row) {
                CHECK(*row < codes.count, context);
                CHECK(slow_key(codes.row(*row), tables.starts[t], tables.widths[t]) == key, context);
                CHECK(i == offset[0] || row[-1] < row[0], context);
            }
        }
        CHECK(*offset++ == codes.count, context);
    }
}

// Runs search(output, isa) on arrays full of rubbish: every place must be written.
template <class Search>
Reference::Nearest run_nearest(std::size_t n_queries, std::size_t k, const char*& isa, Search search) {
    Reference::Nearest result{std::vector<std::int32_t>(n_queries * k, -7), std::vector<std::int64_t>(n_queries * k, -7)};
    search(NearestOutput{result.distances.data(), result.rows.data(), k}, isa);
    return result;
}

// Large radii visit every bucket of every table: they are asked of small tables only.
bool too_many_buckets(const OwnedTables& tables, std::uint32_t radius, std::uint32_t n_bits) {
    return tables.widths[0] > 8 && radius > n_bits / 8;
}

void check_searches(const Reference& truth, const OwnedTables& tables, const Execution& execution) {
    const Codes codes = truth.codes(), queries = truth.queries();
    const std::uint32_t n_bits = truth.n_bits();
    const std::string context = std::string(execution.kernel.isa) + " code_size=" + std::to_string(codes.code_size) +
                                " n_codes=" + std::to_string(codes.count) +
                                " n_queries=" + std::to_string(queries.count) +
                                " threads=" + std::to_string(execution.n_threads);
    const auto ran_right = [&](const char* isa, bool must_run) {
        return isa == execution.kernel.isa || (isa == nullptr && !must_run);
    };
    const bool any = codes.count > 0 && queries.count > 0;

    for (const std::uint32_t radius : {0u, 1u, n_bits / 8, n_bits / 2, n_bits, n_bits + 9}) {
        const RadiusHits expected = truth.within(radius);
        const char* isa = nullptr;
        CHECK(scan_radius(codes, queries, radius, execution, isa) == expected, context + " r=" + std::to_string(radius));
        CHECK(ran_right(isa, any), context);
        if (too_many_buckets(tables, radius, n_bits)) continue;
        isa = nullptr;
        CHECK(probe_radius(codes, tables.view(), queries, radius, tables.thresholds(radius).data(), execution, isa) ==
                  expected,
              context + " r=" + std::to_string(radius));
        CHECK(ran_right(isa, any && radius == n_bits), context);
    }

    for (const std::size_t k : {std::size_t{1}, std::size_t{2}, std::size_t{9}, codes.count}) {
        if (k < 1 || k > codes.count) continue;
        for (const std::uint32_t radius : {0u, n_bits / 8, n_bits}) {
            const Reference::Nearest expected = truth.nearest(k, radius);
            const std::string which = context + " k=" + std::to_string(k) + " r=" + std::to_string(radius);
            const char* isa = nullptr;
            CHECK(run_nearest(queries.count, k, isa, [&](const NearestOutput& output, const char*& ran) {
                      scan_nearest(codes, queries, radius, execution, output, ran);
                  }) == expected, which);
            CHECK(ran_right(isa, any), which);
            if (too_many_buckets(tables, radius, n_bits)) continue;
            isa = nullptr;
            CHECK(run_nearest(queries.count, k, isa, [&](const NearestOutput& output, const char*& ran) {
                      probe_nearest(codes, tables.view(), queries, radius, execution, output, ran);
                  }) == expected, which);
            CHECK(ran_right(isa, any && radius == n_bits), which);
        }
    }
}

}  // namespace

int main() {
    check_keys();
    ThreadPool pool;
    std::size_t n_cases = 0;
    const auto check = [&](const Reference& truth, std::int32_t table_width) {
        const std::vector<const Kernel*> kernels = available_kernels();
        const OwnedTables tables(truth.codes(), table_width, {*kernels[0], pool, 3});
        check_buckets(truth.codes(), tables);
        check_searches(truth, tables, {*kernels[0], pool, 3});
        for (const Kernel* kernel : kernels) check_searches(truth, tables, {*kernel, pool, 1});
        ++n_cases;
    };
    for (const std::size_t code_size : {1u, 5u, 8u, 16u, 33u}) {
        for (const std::size_t n_codes : {0u, 1u, 2u, 31u, 32u, 33u, 200u})
            check(Reference(n_codes, 70, code_size, 5), code_size == 1 ? 3 : 7);  // 70: two blocks of queries
        check(Reference(3000, 3, code_size, 0), 8);                              // several tiles
        check(Reference(3000, 3, code_size, 9), 13);
        check(Reference(5, 0, code_size, 0), 8);
    }
    check(Reference(50000, 1, 8, 0), 16);  // codes split among threads, ties across the borders
    check(Reference(50000, 1, 3, 3), 12);
    std::printf("searches: %zu sets of codes equal to the slow reference\n", n_cases);
    return 0;
}
