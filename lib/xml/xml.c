#include "xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xml_lib.h"

struct xml {
	const struct xml_lib *lib;
	xmlDocPtr doc;
	const xmlNode *root;
};

/* A struct xml_node is an xmlNode: the casts keep libxml2 out of the header. */
static const xmlNode *
in(const struct xml_node *n)
{
	return (const xmlNode *)(const void *)n;
}

static const struct xml_node *
out_of(const xmlNode *n)
{
	return (const struct xml_node *)(const void *)n;
}

/* Stops at the first sign of a DTD: no entity is ever declared. The parser
 * does not call a document ended in this way well formed. */
static void
refuse_dtd(void *ctx, const xmlChar *name, const xmlChar *external,
    const xmlChar *system)
{
	xmlParserCtxtPtr p = ctx;
	const struct xml_lib *lib = p->_private;

	(void)name;
	(void)external;
	(void)system;
	p->wellFormed = 0;
	lib->xmlStopParser(p);
}

static void
silent(void *ctx, xmlErrorPtr e)
{
	(void)ctx;
	(void)e;
}

/* Without comments and with CDATA as plain text, the text of an element is
 * one node. */
static int
parse(const struct xml_lib *lib, const void *data, size_t len, xmlDocPtr *out,
    struct fault *f)
{
	xmlParserCtxtPtr p = lib->xmlNewParserCtxt();

	if (p == NULL)
		return fault_nomem(f);
	p->_private = (void *)(uintptr_t)lib;
	p->sax->internalSubset = refuse_dtd;
	p->sax->externalSubset = refuse_dtd;
	p->sax->comment = NULL;
	p->sax->processingInstruction = NULL;
	p->sax->serror = silent;
	*out = lib->xmlCtxtReadMemory(p, data, (int)len, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
		XML_PARSE_NOWARNING);
	lib->xmlFreeParserCtxt(p);
	if (*out == NULL)
		return fault_set(f, FAULT_CORRUPT, "not well-formed XML");
	return 0;
}

int
xml_parse(struct xml **out, const void *data, size_t len, struct fault *f)
{
	const struct xml_lib *lib;
	struct xml *x;
	int rc;

	if (len == 0 || len > XML_MAX)
		return fault_set(f, FAULT_CORRUPT,
		    "XML of %zu bytes, where 1 to %u belong", len, XML_MAX);
	/* libxml2 would end the document there and pass over the rest. */
	if (memchr(data, '\0', len) != NULL)
		return fault_set(f, FAULT_CORRUPT, "a zero byte in XML");
	if ((rc = xml_lib_get(&lib, f)) != 0)
		return rc;
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return fault_nomem(f);
	x->lib = lib;
	rc = parse(lib, data, len, &x->doc, f);
	if (rc == 0) {
		x->root = lib->xmlDocGetRootElement(x->doc);
		if (x->root == NULL || x->doc->intSubset != NULL)
			rc = fault_set(f, FAULT_CORRUPT, "not plain XML");
	}
	if (rc != 0) {
		xml_free(x);
		return rc;
	}
	*out = x;
	return 0;
}

void
xml_free(struct xml *x)
{
	if (x == NULL)
		return;
	if (x->doc != NULL)
		x->lib->xmlFreeDoc(x->doc);
	free(x);
}

const struct xml_node *
xml_top(const struct xml *x)
{
	return out_of(x->root);
}

const char *
xml_root(const struct xml *x)
{
	return (const char *)x->root->name;
}

/* From n on, the first element of that name. */
static const struct xml_node *
find(const xmlNode *n, const char *name)
{
	for (; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)n->name, name) == 0)
			break;
	return out_of(n);
}

const struct xml_node *
xml_child(const struct xml_node *n, const char *name)
{
	return n == NULL ? NULL : find(in(n)->children, name);
}

const struct xml_node *
xml_next(const struct xml_node *n)
{
	if (n == NULL)
		return NULL;
	return find(in(n)->next, (const char *)in(n)->name);
}

const char *
xml_text(const struct xml_node *n, const char *name)
{
	const xmlNode *e = in(xml_child(n, name));

	if (e == NULL)
		return NULL;
	e = e->children;
	if (e == NULL)
		return "";
	if (e->type != XML_TEXT_NODE || e->next != NULL || e->content == NULL)
		return NULL;
	return (const char *)e->content;
}
