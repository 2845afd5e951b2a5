/* The primitives give the numbers of the documents that define them. */
#include "unit.h"

#include "crypto.h"

static struct fault f;

static void
digests_are_those_of_fips_180_and_rfc_1321(void **state)
{
	unsigned char out[32];
	struct crypto_hash *h;

	(void)state;
	assert_int_equal(crypto_sha256("abc", 3, out, &f), 0);
	assert_hex(out, "ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(crypto_sha256("", 0, out, &f), 0);
	assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855");
	assert_int_equal(crypto_hash_new(&h, &f), 0);
	assert_int_equal(crypto_hash_update(h, "a", 1, &f), 0);
	assert_int_equal(crypto_hash_update(h, "", 0, &f), 0);
	assert_int_equal(crypto_hash_update(h, "bc", 2, &f), 0);
	assert_int_equal(crypto_hash_final(h, out, &f), 0);
	crypto_hash_free(h);
	assert_hex(out, "ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(crypto_md5("message digest", 14, out, &f), 0);
	assert_hex(out, "f96b697d7cb7938d525a2f31aaf161d0");
	crypto_hash_free(NULL);
}

static void
hmac_is_that_of_rfc_4231(void **state)
{
	unsigned char key[131], out[32];

	(void)state;
	memset(key, 0x0b, 20);
	assert_int_equal(crypto_hmac(key, 20, "Hi There", 8, out, &f), 0);
	assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b"
			"881dc200c9833da726e9376c2e32cff7");
	memset(key, 0xaa, 131);
	assert_int_equal(
	    crypto_hmac(key, 131,
		"Test Using Larger Than Block-Size Key - Hash Key First", 54,
		out, &f),
	    0);
	assert_hex(out, "60e431591ee0b67f0d8a26aacbf5b77f"
			"8e0bc6213728c5140546040f0ee37f54");
	/* Empty keys and messages are fine. */
	assert_int_equal(crypto_hmac(NULL, 0, NULL, 0, out, &f), 0);
	assert_hex(out, "b613679a0814d9ec772f95d778c35fc5"
			"ff1697c493715653c6c712144292c5ad");
}

static void
hkdf_is_that_of_rfc_5869(void **state)
{
	unsigned char ikm[80], salt[80], info[80], prk[32], okm[82];

	(void)state;
	memset(ikm, 0x0b, 22);
	for (unsigned i = 0; i < 13; i++)
		salt[i] = (unsigned char)i;
	for (unsigned i = 0; i < 10; i++)
		info[i] = (unsigned char)(0xf0 + i);
	/* A.1 */
	assert_int_equal(crypto_hkdf_extract(salt, 13, ikm, 22, prk, &f), 0);
	assert_hex(prk, "077709362c2e32df0ddc3f0dc47bba63"
			"90b6c73bb50f9c3122ec844ad7c2b3e5");
	assert_int_equal(crypto_hkdf_expand(prk, info, 10, okm, 42, &f), 0);
	assert_hex(okm, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c"
			"5db02d56ecc4c5bf34007208d5b887185865");
	/* A.2 */
	for (unsigned i = 0; i < 80; i++) {
		ikm[i] = (unsigned char)i;
		salt[i] = (unsigned char)(0x60 + i);
		info[i] = (unsigned char)(0xb0 + i);
	}
	assert_int_equal(crypto_hkdf_extract(salt, 80, ikm, 80, prk, &f), 0);
	assert_hex(prk, "06a6b88c5853361a06104c9ceb35b45c"
			"ef760014904671014a193f40c15fc244");
	assert_int_equal(crypto_hkdf_expand(prk, info, 80, okm, 82, &f), 0);
	assert_hex(okm, "b11e398dc80327a1c8e7f78c596a4934"
			"4f012eda2d4efad8a050cc4c19afa97c"
			"59045a99cac7827271cb41c65e590e09"
			"da3275600c2f09b8367793a9aca3db71"
			"cc30c58179ec3e87c14c01d5c1f3434f"
			"1d87");
	/* A.3: neither salt nor info */
	memset(ikm, 0x0b, 22);
	assert_int_equal(crypto_hkdf_extract(NULL, 0, ikm, 22, prk, &f), 0);
	assert_hex(prk, "19ef24a32c717b167f33a91d6f648bdf"
			"96596776afdb6377ac434c1c293ccb04");
	assert_int_equal(crypto_hkdf_expand(prk, NULL, 0, okm, 42, &f), 0);
	assert_hex(okm, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879e"
			"c3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void
hkdf_refuses_what_is_too_long(void **state)
{
	static unsigned char out[255 * 32 + 1];
	unsigned char prk[32] = {0}, info[513] = {0};

	(void)state;
	assert_int_equal(
	    crypto_hkdf_expand(prk, info, 512, out, 255 * 32, &f), 0);
	assert_int_equal(
	    crypto_hkdf_expand(prk, info, 513, out, 32, &f), FAULT_SYSTEM);
	assert_int_equal(
	    crypto_hkdf_expand(prk, info, 0, out, 255 * 32 + 1, &f),
	    FAULT_SYSTEM);
}

static void
x25519_is_that_of_rfc_7748(void **state)
{
	unsigned char k[32], u[32], out[32], pub[32];

	(void)state;
	/* 5.2 */
	unit_hex("a546e36bf0527c9d3b16154b82465edd"
		 "62144c0ac1fc5a18506a2244ba449ac4",
	    k);
	unit_hex("e6db6867583030db3594c1a424b15f7c"
		 "726624ec26b3353b10a903a6d0ab1c4c",
	    u);
	assert_int_equal(crypto_x25519(k, u, out, &f), 0);
	assert_hex(out, "c3da55379de9c6908e94ea4df28d084f"
			"32eccf03491c71f754b4075577a28552");
	/* 6.1 */
	unit_hex("77076d0a7318a57d3c16c17251b26645"
		 "df4c2f87ebc0992ab177fba51db92c2a",
	    k);
	assert_int_equal(crypto_x25519_public(k, pub, &f), 0);
	assert_hex(pub, "8520f0098930a754748b7ddcb43ef75a"
			"0dbf3a0d26381af4eba4a98eaa9b4e6a");
	unit_hex("de9edb7d7b7dc1b4d35b61c2ece43537"
		 "3f8343c85b78674dadfc7e146f882b4f",
	    u);
	assert_int_equal(crypto_x25519(k, u, out, &f), 0);
	assert_hex(out, "4a5d9d5ba4ce2de1728e3bf480350f25"
			"e07e21c947d19e3376f09b3c1e161742");
}

static void
x25519_refuses_points_of_small_order(void **state)
{
	static const char *const points[] = {
	    "00000000000000000000000000000000"
	    "00000000000000000000000000000000",
	    "01000000000000000000000000000000"
	    "00000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46a"
	    "da098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b"
	    "04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffff"
	    "ffffffffffffffffffffffffffffff7f",
	};
	unsigned char k[32], pub[32], u[32], out[32];

	(void)state;
	assert_int_equal(crypto_x25519_generate(k, pub, &f), 0);
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		unit_hex(points[i], u);
		assert_int_equal(crypto_x25519(k, u, out, &f), FAULT_CORRUPT);
	}
}

static void
generated_keys_differ_and_agree(void **state)
{
	unsigned char a[32], pa[32], b[32], pb[32], x[32], y[32];

	(void)state;
	assert_int_equal(crypto_x25519_generate(a, pa, &f), 0);
	assert_int_equal(crypto_x25519_generate(b, pb, &f), 0);
	assert_memory_not_equal(pa, pb, 32);
	assert_int_equal(crypto_x25519(a, pb, x, &f), 0);
	assert_int_equal(crypto_x25519(b, pa, y, &f), 0);
	assert_memory_equal(x, y, 32);
}

/* Test case 16 of the GCM specification (McGrew, Viega). */
static void
gcm_is_that_of_its_specification(void **state)
{
	static const char plain[] = "d9313225f88406e5a55909c5aff5269a"
				    "86a7a9531534f7da2e4c303d8a318a72"
				    "1c3c0c95956809532fcf0e2449a6b525"
				    "b16aedf5aa0de657ba637b39";
	unsigned char key[32], nonce[12], aad[20], in[60], out[76], back[76];
	struct crypto_aead *a;

	(void)state;
	unit_hex("feffe9928665731c6d6a8f9467308308"
		 "feffe9928665731c6d6a8f9467308308",
	    key);
	unit_hex("cafebabefacedbaddecaf888", nonce);
	unit_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad);
	unit_hex(plain, in);
	assert_int_equal(crypto_aead_new(&a, key, &f), 0);
	/* In turn, so that each direction is set up more than once. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    crypto_aead_seal(a, nonce, aad, 20, in, 60, out, &f), 0);
		assert_hex(out, "522dc1f099567d07f47f37a32a84427d"
				"643a8cdcbfe5c0c97598a2bd2555d1aa"
				"8cb08e48590dbb3da7b08b1056828838"
				"c5f61e6393ba7a0abcc9f662"
				"76fc6ece0f4e1768cddf8853bb2d551b");
		assert_int_equal(
		    crypto_aead_open(a, nonce, aad, 20, out, 76, back, &f), 0);
		assert_memory_equal(back, in, 60);
		/* In place. */
		memcpy(back, out, 76);
		assert_int_equal(
		    crypto_aead_open(a, nonce, aad, 20, back, 76, back, &f), 0);
		assert_memory_equal(back, in, 60);
	}
	crypto_aead_free(a);
	crypto_aead_free(NULL);
}

static void
gcm_releases_nothing_that_was_touched(void **state)
{
	static const unsigned char zero[40];
	unsigned char key[32] = {1}, nonce[12] = {2}, in[40], out[56], back[56];
	struct crypto_aead *a;

	(void)state;
	memset(in, 'x', sizeof(in));
	assert_int_equal(crypto_aead_new(&a, key, &f), 0);
	assert_int_equal(
	    crypto_aead_seal(a, nonce, "ad", 2, in, 40, out, &f), 0);
	for (size_t i = 0; i < 56; i++) {
		out[i] ^= 1;
		memset(back, 'y', sizeof(back));
		assert_int_equal(
		    crypto_aead_open(a, nonce, "ad", 2, out, 56, back, &f),
		    FAULT_CORRUPT);
		assert_memory_equal(back, zero, 40);
		out[i] ^= 1;
	}
	assert_int_equal(crypto_aead_open(a, nonce, "aD", 2, out, 56, back, &f),
	    FAULT_CORRUPT);
	assert_int_equal(crypto_aead_open(a, nonce, "ad", 2, out, 55, back, &f),
	    FAULT_CORRUPT);
	assert_int_equal(crypto_aead_open(a, nonce, "ad", 2, out, 15, back, &f),
	    FAULT_CORRUPT);
	nonce[0] ^= 1;
	assert_int_equal(crypto_aead_open(a, nonce, "ad", 2, out, 56, back, &f),
	    FAULT_CORRUPT);
	nonce[0] ^= 1;
	/* And after all those failures it still opens the right one. */
	assert_int_equal(
	    crypto_aead_open(a, nonce, "ad", 2, out, 56, back, &f), 0);
	assert_memory_equal(back, in, 40);
	crypto_aead_free(a);
}

static void
xxh_is_canonical_and_streams(void **state)
{
	unsigned char all[1000], a[16], b[16];
	struct crypto_xxh *x;

	(void)state;
	/* XXH3-128 of nothing, seed 0, as xxHash publishes it. */
	crypto_xxh("", 0, a);
	assert_hex(a, "99aa06d3014798d86001c324468d497f");
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)(i * 7);
	crypto_xxh(all, sizeof(all), a);
	assert_int_equal(crypto_xxh_new(&x, &f), 0);
	for (size_t i = 0; i < sizeof(all); i += 37)
		crypto_xxh_update(
		    x, all + i, sizeof(all) - i < 37 ? sizeof(all) - i : 37);
	crypto_xxh_final(x, b);
	assert_memory_equal(a, b, 16);
	crypto_xxh_free(x);
	crypto_xxh_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digests_are_those_of_fips_180_and_rfc_1321),
	    cmocka_unit_test(hmac_is_that_of_rfc_4231),
	    cmocka_unit_test(hkdf_is_that_of_rfc_5869),
	    cmocka_unit_test(hkdf_refuses_what_is_too_long),
	    cmocka_unit_test(x25519_is_that_of_rfc_7748),
	    cmocka_unit_test(x25519_refuses_points_of_small_order),
	    cmocka_unit_test(generated_keys_differ_and_agree),
	    cmocka_unit_test(gcm_is_that_of_its_specification),
	    cmocka_unit_test(gcm_releases_nothing_that_was_touched),
	    cmocka_unit_test(xxh_is_canonical_and_streams),
	};

	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
