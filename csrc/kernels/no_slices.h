// For ISAs where batches are as fast without slices.

constexpr std::size_t slice_step = 0;
constexpr decltype(Kernel::make_slice_keys) make_slice_keys = nullptr;
constexpr decltype(Kernel::within_slices) within_slices = nullptr;
