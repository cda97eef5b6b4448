#!/usr/bin/env python3
"""folder.py MODEL.gguf DIR: the folder in the form of Hugging Face from which a converter would
have made a file of make.py (bert, WordPiece, F32)."""
import json
import os
import struct
import sys

SIZES = {0: '<B', 1: '<b', 2: '<H', 3: '<h', 4: '<I', 5: '<i', 6: '<f', 7: '<?', 10: '<Q', 11: '<q',
         12: '<d'}
OUTSIDE = {'token_embd': 'word_embeddings', 'position_embd': 'position_embeddings',
           'token_types': 'token_type_embeddings', 'token_embd_norm': 'LayerNorm'}
INSIDE = {'attn_q': 'attention.self.query', 'attn_k': 'attention.self.key',
          'attn_v': 'attention.self.value', 'attn_output': 'attention.output.dense',
          'attn_output_norm': 'attention.output.LayerNorm', 'ffn_up': 'intermediate.dense',
          'ffn_down': 'output.dense', 'layer_output_norm': 'output.LayerNorm'}


def read(path):
    data, at = open(path, 'rb').read(), 8

    def take(form):
        nonlocal at
        value, = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return value

    def text():
        nonlocal at
        n = take('<Q')
        at += n
        return data[at - n:at].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            kind, n = take('<I'), take('<Q')
            return [value(kind) for _ in range(n)]
        return take(SIZES[kind])

    tensors, keys = take('<Q'), take('<Q')
    key = {}
    for _ in range(keys):
        name = text()
        key[name] = value(take('<I'))
    tensor = []
    for _ in range(tensors):
        name = text()
        dims = [take('<Q') for _ in range(take('<I'))]
        tensor.append((name, dims, take('<I'), take('<Q')))
    return key, tensor, data, (at + 31) // 32 * 32


def theirs(name):
    part, tail = name.rsplit('.', 1)
    if part.startswith('blk.'):
        _, n, part = part.split('.')
        return f'encoder.layer.{n}.{INSIDE[part]}.{tail}'
    return f'embeddings.{OUTSIDE[part]}.{tail}'


def split(name, dims, blob):
    """q, k and v of one tensor are three there."""
    if 'attn_qkv' not in name:
        return [(name, dims, blob)]
    third = len(blob) // 3
    return [(name.replace('attn_qkv', part), dims[:-1] + [dims[-1] // 3],
             blob[i * third:(i + 1) * third])
            for i, part in enumerate(('attn_q', 'attn_k', 'attn_v'))]


def main(source, folder):
    key, tensors, data, start = read(source)
    head, body = {}, b''
    for name, dims, kind, at in tensors:
        assert kind == 0, 'F32 alone'
        size = 4
        for n in dims:
            size *= n
        for part, shape, blob in split(name, dims, data[start + at:start + at + size]):
            head[theirs(part)] = {'dtype': 'F32', 'shape': shape[::-1],
                                  'data_offsets': [len(body), len(body) + len(blob)]}
            body += blob
    text = json.dumps(head).encode()
    os.makedirs(folder + '/1_Pooling', exist_ok=True)
    with open(folder + '/model.safetensors', 'wb') as out:
        out.write(struct.pack('<Q', len(text)) + text + body)
    tokens = key['tokenizer.ggml.tokens']
    special = {key.get('tokenizer.ggml.' + k) for k in (
        'bos_token_id', 'cls_token_id', 'seperator_token_id', 'unknown_token_id',
        'padding_token_id', 'mask_token_id')}
    with open(folder + '/vocab.txt', 'w') as out:
        for i, t in enumerate(tokens):
            word = t.startswith('\u2581')
            out.write((t if i in special else t[1:] if word else '##' + t) + '\n')
    config = {
        'architectures': ['BertModel'], 'hidden_act': 'gelu',
        'hidden_size': key['bert.embedding_length'],
        'num_hidden_layers': key['bert.block_count'],
        'num_attention_heads': key['bert.attention.head_count'],
        'intermediate_size': key['bert.feed_forward_length'],
        'max_position_embeddings': key['bert.context_length'],
        'layer_norm_eps': key['bert.attention.layer_norm_epsilon'],
        'vocab_size': max(len(tokens), [d[1] for n, d, _, _ in tensors
                                        if n == 'token_embd.weight'][0]), 'type_vocab_size': 2}
    json.dump(config, open(folder + '/config.json', 'w'))
    json.dump({'pooling_mode_mean_tokens': key['bert.pooling_type'] == 1,
               'pooling_mode_cls_token': key['bert.pooling_type'] == 2},
              open(folder + '/1_Pooling/config.json', 'w'))


main(sys.argv[1], sys.argv[2])
