// For ISAs where a run's sums stay in 64-bit lanes, and no code is counted beside the vectors: see run_body.h.

constexpr std::size_t beside = 0;
constexpr bool narrows = false;
static inline Vector narrow_four(const Vector* v) { return v[0]; }
static inline Vector narrow_all(const Vector* fours) { return fours[0]; }
static inline Vector narrow_limits(std::uint64_t limit) { return broadcast(limit); }
static inline bool any_narrow_below(Vector, Vector) { return false; }
static inline void widen(Vector, Vector*) {}
