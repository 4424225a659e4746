// For ISAs where batches are as fast without planes.

constexpr std::size_t planes_per_byte = 0;
constexpr decltype(Kernel::split) split = nullptr;
constexpr decltype(Kernel::make_keys) make_keys = nullptr;
constexpr decltype(Kernel::within_planes) within_planes = nullptr;
