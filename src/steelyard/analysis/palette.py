"""The colours of all figures: Okabe and Ito's, which the colour-blind can tell apart."""

GREY, BLACK, YELLOW = "#7f7f7f", "#000000", "#f0e442"
BLUE, SKY, ORANGE, AMBER, GREEN, PURPLE = (
    "#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#009e73", "#cc79a7",
)  # fmt: skip
OF_HEADS = (BLUE, AMBER, GREEN, PURPLE, SKY, YELLOW)
OF_LINES = (BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER, BLACK)
