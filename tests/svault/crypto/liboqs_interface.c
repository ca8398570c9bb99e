/* liboqs's C interface for ML-KEM-768 and ML-DSA-65 over AWS-LC's implementations.
 *
 * No package registry carries a native liboqs. This stands in for it where the question is how ours calls it: the order of the
 * arguments, and that randomness is asked of the function that OQS_randombytes_custom_algorithm was given. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int ml_kem_768_keypair_deterministic(uint8_t *pk, size_t *pk_len, uint8_t *sk, size_t *sk_len, const uint8_t *seed);
int ml_kem_768_encapsulate_deterministic(uint8_t *ct, size_t *ct_len, uint8_t *ss, size_t *ss_len, const uint8_t *pk, const uint8_t *seed);
int ml_kem_768_decapsulate(uint8_t *ss, size_t *ss_len, const uint8_t *ct, const uint8_t *sk);
int ml_dsa_65_keypair_internal(uint8_t *pk, uint8_t *sk, const uint8_t *seed);
int ml_dsa_65_sign_internal(const uint8_t *sk, uint8_t *sig, size_t *sig_len, const uint8_t *m, size_t m_len, const uint8_t *pre,
                            size_t pre_len, const uint8_t *rnd);
int ml_dsa_65_verify(const uint8_t *pk, const uint8_t *sig, size_t sig_len, const uint8_t *m, size_t m_len, const uint8_t *ctx,
                     size_t ctx_len);

static void (*random_bytes)(uint8_t *, size_t);

void OQS_init(void) {}

const char *OQS_version(void) { return "0.0.0"; }

void OQS_randombytes_custom_algorithm(void (*algorithm)(uint8_t *, size_t)) { random_bytes = algorithm; }

int OQS_KEM_ml_kem_768_keypair_derand(uint8_t *pk, uint8_t *sk, const uint8_t *seed) {
  size_t pk_len = 1184, sk_len = 2400;
  return ml_kem_768_keypair_deterministic(pk, &pk_len, sk, &sk_len, seed) == 0 ? 0 : -1;
}

int OQS_KEM_ml_kem_768_encaps(uint8_t *ct, uint8_t *ss, const uint8_t *pk) {
  uint8_t m[32];
  size_t ct_len = 1088, ss_len = 32;
  random_bytes(m, sizeof m);
  return ml_kem_768_encapsulate_deterministic(ct, &ct_len, ss, &ss_len, pk, m) == 0 ? 0 : -1;
}

int OQS_KEM_ml_kem_768_decaps(uint8_t *ss, const uint8_t *ct, const uint8_t *sk) {
  size_t ss_len = 32;
  return ml_kem_768_decapsulate(ss, &ss_len, ct, sk) == 0 ? 0 : -1;
}

int OQS_SIG_ml_dsa_65_keypair(uint8_t *pk, uint8_t *sk) {
  uint8_t seed[32];
  random_bytes(seed, sizeof seed);
  return ml_dsa_65_keypair_internal(pk, sk, seed) == 1 ? 0 : -1;
}

int OQS_SIG_ml_dsa_65_sign_with_ctx_str(uint8_t *sig, size_t *sig_len, const uint8_t *m, size_t m_len, const uint8_t *ctx,
                                        size_t ctx_len, const uint8_t *sk) {
  uint8_t pre[257] = {0, (uint8_t)ctx_len}, rnd[32];
  memcpy(pre + 2, ctx, ctx_len);
  random_bytes(rnd, sizeof rnd);
  *sig_len = 3309;
  return ml_dsa_65_sign_internal(sk, sig, sig_len, m, m_len, pre, 2 + ctx_len, rnd) == 1 ? 0 : -1;
}

int OQS_SIG_ml_dsa_65_verify_with_ctx_str(const uint8_t *m, size_t m_len, const uint8_t *sig, size_t sig_len, const uint8_t *ctx,
                                          size_t ctx_len, const uint8_t *pk) {
  return ml_dsa_65_verify(pk, sig, sig_len, m, m_len, ctx, ctx_len) == 1 ? 0 : -1;
}
