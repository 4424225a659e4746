// The kernel of an ISA: its functions in the order of kernel.h. Included behind all bodies.

constexpr Kernel kernel = {isa,    transpose, within,        within_run, count,           mark,
                           filter, measure,   keep_near,     drop_seen,  extract,         planes_per_byte,
                           split,  make_keys, within_planes, slice_step, make_slice_keys, within_slices};
