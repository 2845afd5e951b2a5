/* HPKE gives the numbers of RFC 9180, and opens for nobody else. */
#include "unit.h"

#include "hpke.h"
#include "hpke_core.h"

static struct fault f;

static const char info_hex[] = "4f6465206f6e2061204772656369616e2055726e";
static const char psk_hex[] = "0247fd33b913760fa1fa51e1892d9f30"
			      "7fbe65eb171e8132c2af18555a738b82";
static const char id_hex[] = "456e6e796e20447572696e206172616e204d6f726961";
static const char plain_hex[] =
    "4265617574792069732074727574682c20747275746820626561757479";
static const char aad_hex[] = "436f756e742d30";

struct vector {
	int aead;
	const char *private_r, *public_r, *private_e, *enc;
	const char *shared, *key, *nonce;
	const char *sealed; /* the message with sequence number 0 */
};

static const struct vector vectors[] = {
    /* RFC 9180, A.1.2 */
    {HPKE_CORE_AES_128_GCM,
	"c5eb01eb457fe6c6f57577c5413b9315"
	"50a162c71a03ac8d196babbd4e5ce0fd",
	"9fed7e8c17387560e92cc6462a680496"
	"57246a09bfa8ade7aefe589672016366",
	"463426a9ffb42bb17dbe6044b9abd1d4"
	"e4d95f9041cef0e99d7824eef2b6f588",
	"0ad0950d9fb9588e59690b74f1237ecd"
	"f1d775cd60be2eca57af5a4b0471c91b",
	"727699f009ffe3c076315019c6964836"
	"6b69171439bd7dd0807743bde76986cd",
	"15026dba546e3ae05836fc7de5a7bb26", "9518635eba129d5ce0914555", NULL},
    /* The CFRG's test-vectors.json for RFC 9180: mode 1, KEM 32, KDF 1,
     * AEAD 2 */
    {HPKE_CORE_AES_256_GCM,
	"d99132243a09c24a7497f3da8608f0ba"
	"808c21a575d33679f4b24603e96d27ad",
	"62a61ceb338540516edde460e27923a8"
	"df6749bc38e27b1001cd5b8b9102e44c",
	"e24413c8dc5760ffbedbfbfb48d087f8"
	"5ae448b62575db480763d430636663af",
	"4f3e44d4dde1d0d12a724242df8cef0a"
	"68ea53617dab8a6aade4239d404a5154",
	"cb095862cd41f4cb5be5f63e11d17728"
	"c84b4d0f66ebe6bcb1ed0ce8d895aa1d",
	"de08a0822c00994ffd1a4136a3caaf27"
	"03b4ce0c083c2656e598345fcd27510f",
	"02b1fe14a5b6ad526ccff550",
	"316d9b4214a33182212888e86f23005b0706c30db2b1052c"
	"4e28c2c100fcdb85cc934b0a64c8db0d7dd339b64c"},
};

static void
both_sides_give_the_published_numbers(void **state)
{
	unsigned char sk[32], pk[32], ske[32], enc[32], shared[32], shared2[32];
	unsigned char info[64], psk[32], id[64];
	const size_t info_len = unit_hex(info_hex, info);
	const size_t id_len = unit_hex(id_hex, id);
	struct hpke_core_context c;

	(void)state;
	unit_hex(psk_hex, psk);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		const struct vector *v = &vectors[i];

		unit_hex(v->private_r, sk);
		unit_hex(v->public_r, pk);
		unit_hex(v->private_e, ske);
		assert_int_equal(hpke_core_encap(ske, pk, enc, shared, &f), 0);
		assert_hex(enc, v->enc);
		assert_hex(shared, v->shared);
		assert_int_equal(hpke_core_decap(enc, sk, shared2, &f), 0);
		assert_memory_equal(shared, shared2, 32);
		assert_int_equal(hpke_core_schedule(v->aead, shared, info,
				     info_len, psk, id, id_len, &c, &f),
		    0);
		assert_hex(c.key, v->key);
		assert_hex(c.base_nonce, v->nonce);
	}
}

static void
the_published_message_opens(void **state)
{
	const struct vector *v = &vectors[1];
	unsigned char sk[32], enc[32], psk[32], id[64], info[64], aad[16];
	unsigned char sealed[64], out[64];
	const size_t info_len = unit_hex(info_hex, info);
	const size_t aad_len = unit_hex(aad_hex, aad);
	const size_t n = unit_hex(v->sealed, sealed);
	const struct hpke_psk p = {psk, id, unit_hex(id_hex, id)};

	(void)state;
	unit_hex(psk_hex, psk);
	unit_hex(v->private_r, sk);
	unit_hex(v->enc, enc);
	assert_int_equal(hpke_open(sk, &p, info, info_len, aad, aad_len, enc,
			     sealed, n, out, &f),
	    0);
	assert_hex(out, plain_hex);
}

struct parties {
	unsigned char sk[32], pk[32], psk[32], enc[32], sealed[48];
};

static void
seal(struct parties *p)
{
	const struct hpke_psk k = {p->psk, (const unsigned char *)"id", 2};

	assert_int_equal(crypto_x25519_generate(p->sk, p->pk, &f), 0);
	memset(p->psk, 'p', sizeof(p->psk));
	assert_int_equal(
	    hpke_seal(p->pk, &k, "info", 4, "aad", 3,
		(const unsigned char *)"0123456789abcdef0123456789abcdef", 32,
		p->enc, p->sealed, &f),
	    0);
}

static int
open_it(
    const struct parties *p, const char *id, const char *info, const char *aad)
{
	const struct hpke_psk k = {p->psk, (const unsigned char *)id, 2};
	unsigned char out[32];
	const int rc = hpke_open(p->sk, &k, info, strlen(info), aad, 3, p->enc,
	    p->sealed, sizeof(p->sealed), out, &f);

	if (rc == 0)
		assert_memory_equal(
		    out, "0123456789abcdef0123456789abcdef", 32);
	return rc;
}

static void
opening_takes_every_part(void **state)
{
	struct parties p;

	(void)state;
	seal(&p);
	assert_int_equal(open_it(&p, "id", "info", "aad"), 0);
	assert_int_equal(open_it(&p, "iD", "info", "aad"), FAULT_CORRUPT);
	assert_int_equal(open_it(&p, "id", "inf", "aad"), FAULT_CORRUPT);
	assert_int_equal(open_it(&p, "id", "info", "aaD"), FAULT_CORRUPT);
	/* Who has only the public key does not know the secret: what he
	 * seals does not open, and what we seal does not open for him even
	 * if he had broken X25519. */
	p.psk[31] ^= 1;
	assert_int_equal(open_it(&p, "id", "info", "aad"), FAULT_CORRUPT);
	p.psk[31] ^= 1;
	p.sk[1] ^= 1;
	assert_int_equal(open_it(&p, "id", "info", "aad"), FAULT_CORRUPT);
	p.sk[1] ^= 1;
	for (size_t i = 0; i < 32; i++) {
		p.enc[i] ^= 1;
		assert_int_equal(
		    open_it(&p, "id", "info", "aad"), FAULT_CORRUPT);
		p.enc[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(p.sealed); i++) {
		p.sealed[i] ^= 1;
		assert_int_equal(
		    open_it(&p, "id", "info", "aad"), FAULT_CORRUPT);
		p.sealed[i] ^= 1;
	}
	memset(p.enc, 0, sizeof(p.enc));
	assert_int_equal(open_it(&p, "id", "info", "aad"), FAULT_CORRUPT);
}

static void
every_sealing_has_an_ephemeral_key_of_its_own(void **state)
{
	struct parties a, b;

	(void)state;
	seal(&a);
	seal(&b);
	assert_memory_not_equal(a.enc, b.enc, 32);
	assert_memory_not_equal(a.sealed, b.sealed, 48);
}

static void
limits_are_errors(void **state)
{
	unsigned char long_info[257] = {0}, enc[32], out[48];
	struct parties p;
	struct hpke_psk k;

	(void)state;
	seal(&p);
	k = (struct hpke_psk){p.psk, (const unsigned char *)"id", 2};
	assert_int_equal(
	    hpke_seal(p.pk, &k, long_info, 257, "", 0, p.sk, 32, enc, out, &f),
	    FAULT_SYSTEM);
	assert_int_equal(
	    hpke_seal(p.pk, &k, long_info, 256, "", 0, p.sk, 32, enc, out, &f),
	    0);
	k.id_len = 0;
	assert_int_equal(
	    hpke_seal(p.pk, &k, "", 0, "", 0, p.sk, 32, enc, out, &f),
	    FAULT_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_sides_give_the_published_numbers),
	    cmocka_unit_test(the_published_message_opens),
	    cmocka_unit_test(opening_takes_every_part),
	    cmocka_unit_test(every_sealing_has_an_ephemeral_key_of_its_own),
	    cmocka_unit_test(limits_are_errors),
	};

	return cmocka_run_group_tests_name("hpke", tests, NULL, NULL);
}
