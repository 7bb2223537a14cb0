//! Topics of chats, and their texts.

/// The topic of a chat.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// 几天发货.
    Shipping,
    /// 发什么快递.
    Courier,
    /// 尺码怎么选.
    Size,
    /// 优惠券怎么用.
    Coupon,
    /// An order that is not paid.
    Payment,
    /// An order that is paid: an address, a note.
    Change,
    /// An order that is on its way.
    Tracking,
    /// An order that has come.
    Return,
    /// An unknown topic.
    Open,
}

/// The texts of a topic.
pub struct Words {
    /// The buyer's first question.
    pub openings: &'static [&'static str],
    /// The buyer's further questions.
    pub questions: &'static [&'static str],
    /// The agent's answers.
    pub answers: &'static [&'static str],
    /// What an agent sends with an answer: a kind and its text, if any.
    pub sendings: &'static [(&'static str, Option<&'static str>)],
}

impl Topic {
    /// The question of the live entry's menu, where there is one.
    pub fn question(self) -> Option<&'static str> {
        match self {
            Topic::Shipping => Some("几天发货"),
            Topic::Courier => Some("发什么快递"),
            Topic::Size => Some("尺码怎么选"),
            Topic::Coupon => Some("优惠券怎么用"),
            Topic::Payment | Topic::Change | Topic::Tracking | Topic::Return | Topic::Open => None,
        }
    }

    /// The state of the order, where the topic is an order.
    pub fn order_status(self) -> Option<&'static str> {
        match self {
            Topic::Payment => Some("unpaid"),
            Topic::Change => Some("paid"),
            Topic::Tracking => Some("shipped"),
            Topic::Return => Some("received"),
            Topic::Shipping | Topic::Courier | Topic::Size | Topic::Coupon | Topic::Open => None,
        }
    }

    /// Whether it belongs to the after-sale agents.
    pub fn is_aftersale(self) -> bool {
        match self {
            Topic::Tracking | Topic::Return => true,
            Topic::Shipping
            | Topic::Courier
            | Topic::Size
            | Topic::Coupon
            | Topic::Payment
            | Topic::Change
            | Topic::Open => false,
        }
    }

    /// The texts of the topic.
    pub fn words(self) -> &'static Words {
        match self {
            Topic::Shipping => &SHIPPING,
            Topic::Courier => &COURIER,
            Topic::Size => &SIZE,
            Topic::Coupon => &COUPON,
            Topic::Payment => &PAYMENT,
            Topic::Change => &CHANGE,
            Topic::Tracking => &TRACKING,
            Topic::Return => &RETURN,
            Topic::Open => &OPEN,
        }
    }
}

/// Texts of a buyer who waits.
pub const NUDGES: [&str; 6] = ["在吗", "人呢？", "有人吗", "？", "怎么不回了", "还在吗"];

/// Texts of a buyer at the end.
pub const THANKS: [&str; 5] = ["好的谢谢", "好的", "知道了，谢谢", "行，我先下单", "👌"];

/// Answers of an agent to these.
pub const WELCOMES: [&str; 4] = [
    "不客气亲～",
    "有问题随时联系我们哦",
    "祝您购物愉快",
    "好的亲，感谢支持",
];

/// Texts of a rude agent.
pub const RUDE: [&str; 4] = ["详情页有写", "自己看", "不清楚", "说了要等"];

/// Texts of an agent who answers late.
pub const SORRY: [&str; 3] = [
    "久等了亲，",
    "抱歉亲，刚才咨询太多了，",
    "不好意思让您久等，",
];

/// Texts of the bot.
pub const BOT: [&str; 3] = [
    "您好，我是智能客服小助手，请问有什么可以帮您？",
    "现货48小时内发出，默认中通或圆通",
    "您可以回复“人工”转人工客服",
];

/// Greetings of a workbench.
pub const GREETING: &str = "您好，客服已接入，请讲";

const SHIPPING: Words = Words {
    openings: &["几天发货？", "今天拍今天能发吗", "预售的什么时候发"],
    questions: &["能快点吗，急用", "周末发货吗", "什么时候能到广州"],
    answers: &[
        "现货48小时内发出哦",
        "今天16点前付款今天发",
        "大促期间72小时内发，按付款顺序",
    ],
    sendings: &[("emoji", None), ("product_card", None)],
};

const COURIER: Words = Words {
    openings: &["发什么快递", "可以发顺丰吗", "能指定快递不"],
    questions: &["顺丰要补多少", "送到家门口吗", "新疆包邮吗"],
    answers: &["默认中通和圆通", "顺丰到付可以的", "偏远地区补10元运费哦"],
    sendings: &[("payment_request", Some("运费差价 10 元")), ("emoji", None)],
};

const SIZE: Words = Words {
    openings: &["160斤穿多大", "尺码偏大还是偏小", "身高165穿M还是L"],
    questions: &["会起球吗", "有黑色吗", "实物和图片一样吗", "会掉色不"],
    answers: &[
        "建议您拍L，宽松一点",
        "正码的，平时穿多大拍多大",
        "面料加厚，不起球",
    ],
    sendings: &[
        ("image", None),
        ("product_recommendation", None),
        ("product_card", None),
        ("video", None),
    ],
};

const COUPON: Words = Words {
    openings: &["优惠券怎么用不了", "双11还有优惠吗", "能再便宜点吗"],
    questions: &["可以叠加吗", "满减是多少", "关注有券吗"],
    answers: &[
        "满300减40，可叠加店铺券",
        "20点整点有券，您蹲一下",
        "关注店铺领5元券",
    ],
    sendings: &[
        ("product_coupon", None),
        ("follow_coupon", None),
        ("group_card", None),
    ],
};

const PAYMENT: Words = Words {
    openings: &[
        "付款失败了",
        "拍错了还没付款，能改价吗",
        "两件一起付能少点吗",
    ],
    questions: &["好了吗", "还是不行", "那我重新拍？"],
    answers: &[
        "给您改好价了，刷新一下付款",
        "换个支付方式试试",
        "可以的，您合并付款就行",
    ],
    sendings: &[
        ("order_repriced", None),
        ("payment_card", None),
        ("group_free_card", None),
    ],
};

const CHANGE: Words = Words {
    openings: &["地址填错了", "帮我改个地址", "备注一下不要放快递柜"],
    questions: &["改好了吗", "电话也要改", "颜色能换吗"],
    answers: &["已经帮您改好了", "稍等，我帮您备注", "没发货可以改的"],
    sendings: &[("address_change_result", Some("地址修改成功"))],
};

const TRACKING: Words = Words {
    openings: &["物流怎么不动了", "快递到哪了", "显示签收了我没收到"],
    questions: &["都三天了", "催一下可以吗", "什么时候能到"],
    answers: &[
        "帮您催了快递，明天会更新",
        "在中转站了，预计后天到",
        "帮您联系网点核实",
    ],
    sendings: &[("image", None), ("text", Some("快递单号已发您，请查收"))],
};

const RETURN: Words = Words {
    openings: &["收到有破损", "想退货", "大了，能换小一码吗"],
    questions: &["运费谁出", "退款几天到账", "寄到哪里"],
    answers: &[
        "支持7天无理由，有运费险",
        "您上传照片，我们给您处理",
        "收到退货后48小时内退款",
    ],
    sendings: &[
        ("return_tracking_changed", None),
        ("text", Some("退货地址已发您")),
        ("image", None),
    ],
};

const OPEN: Words = Words {
    openings: &["在吗", "你好", "hi", "老板在不"],
    questions: &["问一下那件卫衣", "有没有新款", "这个还有货吗", "能开发票吗"],
    answers: &["在的亲，您说", "有货的", "可以开电子发票哦", "新款今晚上架"],
    sendings: &[("emoji", None), ("product_recommendation", None)],
};
