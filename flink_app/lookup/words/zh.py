"""What is said in Chinese.

In: nothing. Out: `TEXTS`, of `flink_app.lookup.words`.
"""

from __future__ import annotations

TEXTS = {
    "because": "因为你看过{items}",
    "like": "新品，与{item}相似",
    "like_in": "新品，与{item}相似：{words}",
    "followed": "你关注的{name}喜欢它",
    "followed.author": "来自你关注的{name}",
    "followed.provider": "来自你关注的{name}",
    "followed.category": "你关注的{name}中的新品",
    "popular_in": "在{place}很受欢迎",
    "popular_with": "很受与你相似的人欢迎：{place}",
    "model.item-cf": "与你看过的内容相配",
    "model.user-cf": "与你相似的人选了它",
    "model.mf": "符合你的口味",
    "model.popular": "当前热门",
    "model.trending": "正在升温",
    "model.content": "符合你正在找的",
    "model.segments": "与你相似的人常从它开始",
    "model.social": "来自你关注的人",
    "model.sequence": "符合你最近看过的内容",
    "model.": "为你挑选",
    "fact.unknown_item": "作业不认识它：没有人选过它，也没有任何行描述它，或者它已过期",
    "fact.unknown_user": "作业对该用户一无所知",
    "fact.expired": "它已过期：很久没有人选它",
    "fact.not_allowed": "它不可用、已隐藏或已删除，或被规则排除",
    "fact.not_yet": "它要到{at}才发布",
    "fact.over": "它只展示到{at}",
    "fact.consumed": "你已经有过它",
    "fact.own": "它是你自己发布的",
    "fact.few_events": "你的事件太少，还没有自己的列表：{events}个，需要{least}个",
    "fact.no_candidate": "没有任何来源为你推荐它",
    "fact.ranked_below": "它在{candidates}个候选中排第{place}位；列表只有{length}项",
    "fact.below": "它不在{source}列表的前{length}项中",
    "fact.moved": "步骤 {step} 把它从第{before}位移到第{after}位",
    "fact.dropped": "步骤 {step} 把它从第{before}位移出列表",
    "place": "{item}在列表的{length}项中位于第{place}位",
    "absent": "{item}不在列表中",
    "chance": "它以{chance}的概率被随机放在那里，好让人认识它",
    "without": "如果没有你对{item}的操作，它就不会在列表中",
    "without_none": "没有哪一次操作能单独决定它是否在列表中",
}
