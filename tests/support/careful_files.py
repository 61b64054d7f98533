"""Rules that careful people write for any model: no check may say anything of them."""

KIND = "optional *.bias or @*Norm* -> no_decay weight_decay=0\nelse -> decay weight_decay=0.05"
CAREFUL = {
    "by class": f"optimizer AdamW lr=1e-3\n{KIND}",
    "by ndim": (
        "optimizer AdamW lr=1e-3\noptional ndim <= 1 -> no_decay weight_decay=0\n"
        "else -> decay weight_decay=0.05"
    ),
    "by class, with embeddings": (
        "optimizer AdamW lr=1e-3\n"
        "optional *.bias or @*Norm* or @*Embedding* -> no_decay weight_decay=0\n"
        "else -> decay weight_decay=0.05"
    ),
    "by the model's own list": (
        "optimizer AdamW lr=1e-3\n"
        "optional ndim <= 1 or has no_weight_decay -> no_decay weight_decay=0\n"
        "else -> decay weight_decay=0.05"
    ),
    "two splits": (
        "optimizer AdamW lr=1e-3\nwarmup share=0.05\nschedule cosine final=0.01 after=warmup\n"
        "split part {\n"
        "    optional {head,fc,classifier,lm_head,score}.* or in @{Detect,Classify} -> head"
        " lr*=10\n"
        "    else -> body\n}\n"
        f"split kind {{\n    {KIND.replace(chr(10), chr(10) + '    ')}\n}}"
    ),
    "muon": (
        "optimizer AdamW lr=3e-4 weight_decay=0.1\n"
        "optimizer Muon as hidden lr=0.02 weight_decay=0.1\n"
        "optional ndim == 2 and *.{i}.* and not (@*Embedding* or tied or *lora_*) -> hidden"
        " optimizer=hidden\nelse -> rest"
    ),
    "sgd, biases without decay": (
        "optimizer SGD lr=0.01 momentum=0.9\nwarmup epochs=3\nschedule linear final=0.01\n"
        "split kind {\n    optional *.bias -> bias warmup_start=0.1 weight_decay=0\n"
        "    optional else @*Norm* -> norm weight_decay=0\n"
        "    else -> weight weight_decay=5e-4\n}"
    ),
    "one group": "optimizer AdamW lr=1e-4\n* -> all",
}
